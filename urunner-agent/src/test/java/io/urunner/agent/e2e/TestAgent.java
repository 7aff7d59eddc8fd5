package io.urunner.agent.e2e;

import io.urunner.agent.Agent;
import io.urunner.agent.AgentBuilder;
import io.urunner.agent.AgentListener;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.WatchScope;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.registry.CredentialRouter;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** An agent in this process. */
final class TestAgent implements AutoCloseable {
    private static final Duration SOON = Duration.ofSeconds(60);

    private final RegistryClient client;
    private final DigestStore store;
    private final Agent agent;

    TestAgent(KubeConfiguration cluster, Path database, Duration interval, String... registries) {
        this(cluster, database, interval, null, registries);
    }

    TestAgent(
            KubeConfiguration cluster,
            Path database,
            Duration interval,
            CredentialProvider credentials,
            String... registries) {
        this(cluster, WatchScope.cluster(), database, interval, credentials, Limits.NONE, List.of(), registries);
    }

    TestAgent(
            KubeConfiguration cluster,
            WatchScope scope,
            Path database,
            Duration interval,
            CredentialProvider credentials,
            Limits limits,
            List<AgentListener> listeners,
            String... registries) {
        CredentialProvider shown = credentials == null ? new CredentialRouter(Map.of()) : credentials;
        client = RegistryClient.builder()
                .credentials(shown)
                .attempts(1)
                .readTimeout(Duration.ofSeconds(2))
                .build();
        store = DigestStores.sqlite(database, "test");
        AgentBuilder builder = Agent.builder(cluster)
                .scope(scope)
                .store(store)
                .interval(interval)
                .limits(limits);
        listeners.forEach(builder::listener);
        Stream.of(registries).forEach(registry -> builder.registry(registry, client));
        agent = builder.build();
    }

    Agent start() {
        agent.start();
        return agent;
    }

    Agent agent() {
        return agent;
    }

    /** The number of complete passes over the first registry. */
    long passes() throws InterruptedException {
        return agent.status().orElseThrow().registries().get(0).passes();
    }

    /** Waits for this many more complete passes. */
    void awaitPasses(int more) throws InterruptedException {
        long begun = passes();
        Await.until(more + " passes more", Seen.within(SOON), () -> passes() >= begun + more);
    }

    /** Whether a workload is watched. */
    boolean follows(WorkloadId id) throws InterruptedException {
        return agent.status().orElseThrow().workloads().stream()
                .anyMatch(workload -> workload.id().equals(id));
    }

    @Override
    public void close() {
        agent.close();
        store.close();
        client.close();
    }
}
