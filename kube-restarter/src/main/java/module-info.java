/** Watches Kubernetes workloads, rolls them out with one idempotent patch, and follows the rollout to its end. */
@SuppressWarnings("requires-automatic") // The client of Kubernetes is no module; its jars say how they are called.
module io.urunner.kube {
    requires com.fasterxml.jackson.databind;
    requires io.kubernetes.client.java;
    requires io.kubernetes.client.java.api;
    requires java.naming;
    requires java.net.http;
    requires okhttp3;
    requires org.slf4j;
    requires org.yaml.snakeyaml;
    requires static transitive org.jspecify;

    exports io.urunner.kube;
}
