package io.urunner.agent.e2e;

import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A control plane with a namespace, and a registry: for each test, or for all tests of a class if the field is static.
 * Each part is created on first use, and all are closed afterwards, last one first.
 */
final class ClusterScene implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private boolean ofTheClass;
    private Optional<Cluster> cluster = Optional.empty();
    private Optional<DockerRegistry> registry = Optional.empty();
    private Optional<String> namespace = Optional.empty();

    /** The control plane; without one the test is skipped. */
    Cluster cluster() {
        if (cluster.isEmpty()) {
            cluster = Optional.of(closing(Cluster.connect()));
        }
        return cluster.get();
    }

    /** A registry that lets everybody pull and push. */
    DockerRegistry registry() {
        if (registry.isEmpty()) {
            registry = Optional.of(closing(DockerRegistry.start()));
        }
        return registry.get();
    }

    /** A namespace with the label {@code urunner=enable}. */
    String namespace() {
        if (namespace.isEmpty()) {
            namespace = Optional.of(cluster().enabledNamespace());
        }
        return namespace.get();
    }

    /** Closes something before everything that already exists. */
    <T extends AutoCloseable> T closing(T part) {
        parts.push(part);
        return part;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        ofTheClass = true;
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        if (!ofTheClass) {
            close();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        close();
    }

    private void close() throws Exception {
        Exception failure = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        cluster = Optional.empty();
        registry = Optional.empty();
        namespace = Optional.empty();
        if (failure != null) {
            throw failure;
        }
    }
}
