package io.urunner.agent.examples;

import io.urunner.agent.Agent;
import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.plan.Outcome;
import io.urunner.kube.KubeConfiguration;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** Rolls out the workloads whose tag moved, and reports the outcome of each rollout to a chat. */
class EmbeddedAgent {
    static void run(
            KubeConfiguration cluster, // such as KubeConfiguration.inCluster(System.getenv())
            String registry,
            CredentialProvider credentials,
            Path history,
            Consumer<String> chat,
            CountDownLatch shutdown)
            throws InterruptedException {
        try (RegistryClient client =
                        RegistryClient.builder().credentials(credentials).build();
                DigestStore store = DigestStores.sqlite(history, "production");
                Agent agent = Agent.builder(cluster)
                        .registry(registry, client)
                        .store(store)
                        .interval(Duration.ofSeconds(30))
                        .listener(new AgentListener() {
                            @Override
                            public void rolloutEnded(Rollout rollout, Outcome outcome) {
                                chat.accept(rollout.workload() + ": " + outcome.name());
                            }
                        })
                        .build()) {
            agent.start();
            shutdown.await();
        }
    }
}
