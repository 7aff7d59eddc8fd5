/** Watches Kubernetes workloads, rolls them out with one idempotent patch, and follows the rollout to its end. */
@SuppressWarnings("requires-automatic") // The Kubernetes client is not a module; its jars only have names.
module io.urunner.kube {
    requires com.fasterxml.jackson.databind;
    requires io.kubernetes.client.java;
    requires io.kubernetes.client.java.api;
    requires java.naming;
    requires java.net.http;
    requires okhttp3;
    requires org.slf4j;
    requires org.yaml.snakeyaml;
    requires static org.jspecify;

    // What the client of Kubernetes needs: as it is not a module, it cannot say so.
    requires com.google.gson;
    requires java.sql;
    requires okhttp3.logging;
    requires org.apache.commons.codec;
    requires org.apache.commons.collections4;
    requires org.apache.commons.lang3;

    exports io.urunner.kube;
}
