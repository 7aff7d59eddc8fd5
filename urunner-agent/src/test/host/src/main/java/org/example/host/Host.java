package org.example.host;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.PackageVersion;
import com.fasterxml.jackson.module.paramnames.ParameterNamesModule;
import io.urunner.agent.Agent;
import io.urunner.agent.AgentListener;
import io.urunner.kube.KubeConfiguration;
import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialPlugins;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.gitlab.GitLabPlugin;
import io.urunner.registry.gitlab.GitLabSettings;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import okhttp3.OkHttp;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A service that has ours among its libraries. */
public final class Host {
    private static final Logger LOG = LoggerFactory.getLogger(Host.class);

    /** What the host reads by its own Jackson. */
    record Order(String image) {}

    private Host() {}

    /** Takes an order as JSON, a kubeconfig, and the file of the history. */
    public static void main(String[] arguments) throws Exception {
        LOG.info("runs with Jackson {} and OkHttp {}", PackageVersion.VERSION, OkHttp.VERSION);
        LOG.info("is {}", Host.class.getModule().isNamed() ? "a module" : "on the class path");
        LOG.info("finds the plugins {}", CredentialPlugins.discover().types());
        Order order = new ObjectMapper()
                .registerModule(new ParameterNamesModule())
                .readValue(arguments[0], Order.class);
        ImageReference image = ImageReference.parse(order.image());
        KubeConfiguration cluster = KubeConfiguration.kubeconfig(Path.of(arguments[1]));
        try (RegistryClient client =
                        RegistryClient.builder().credentials(gitlab(image)).build();
                DigestStore store = DigestStores.sqlite(Path.of(arguments[2]), "production")) {
            work(cluster, image, client, store);
        }
    }

    private static CredentialProvider gitlab(ImageReference image) {
        GitLabSettings settings =
                new GitLabSettings(Optional.empty(), Secret.of("glpat-of-the-host"), Optional.empty());
        return new GitLabPlugin()
                .create(settings, new PluginContext(image.registry(), InstantSource.system()));
    }

    private static void work(
            KubeConfiguration cluster, ImageReference image, RegistryClient client, DigestStore store)
            throws Exception {
        Descriptor found = client.resolve(image);
        DigestStore.Sighting sighting = new DigestStore.Sighting(
                image.toString(), found.digest().toString(), Optional.empty(), Instant.now());
        store.write(new DigestStore.Batch(List.of(sighting), Map.of(), Map.of(), Set.of(), List.of()));
        LOG.info("remembers {}", store.digests(image.toString(), 10).get(0).digest());
        CountDownLatch passed = new CountDownLatch(1);
        try (Agent agent = Agent.builder(cluster)
                .registry(image.registry(), client)
                .store(store)
                .listener(new AgentListener() {
                    @Override
                    public void passed(String host, Duration took) {
                        passed.countDown();
                    }
                })
                .build()) {
            agent.start();
            passed.await();
            LOG.info("has an agent that tracks {} workloads", agent.status().orElseThrow().workloads().size());
        }
    }
}
