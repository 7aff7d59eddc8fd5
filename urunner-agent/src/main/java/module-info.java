/** The agent as a library. The program around it is in the same jar, and is not exported. */
@SuppressWarnings("requires-automatic") // Prometheus is not a module; its jars only have names.
module io.urunner.agent {
    requires transitive io.urunner.kube;
    requires transitive io.urunner.registry;
    requires transitive io.urunner.store;
    requires com.fasterxml.jackson.databind;
    requires org.slf4j;
    requires static org.jspecify;

    // What the program alone uses
    requires static ch.qos.logback.classic;
    requires static ch.qos.logback.core;
    requires static info.picocli;
    requires static io.prometheus.metrics.core;
    requires static io.prometheus.metrics.instrumentation.jvm;
    requires static io.prometheus.metrics.model;
    requires static io.prometheus.writer.text;
    requires static java.logging;
    requires static java.net.http;
    requires static jdk.httpserver;
    requires static org.snakeyaml.engine;

    exports io.urunner.agent;
    exports io.urunner.agent.plan;
}
