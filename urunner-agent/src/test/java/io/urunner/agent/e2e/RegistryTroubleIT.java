package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.HostStatus;
import io.urunner.agent.e2e.FaultyRegistry.Fault;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.LogCapture;
import io.urunner.registry.testing.TokenServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Registries that fail in every way, side by side, and a healthy one. */
class RegistryTroubleIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration TROUBLE = Duration.ofSeconds(16);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void aFailingRegistryIsAskedLessOftenDelaysNoOtherAndRecoversByItself() throws Exception {
        String namespace = cluster.enabledNamespace();
        String first = registry.push("team/app", "latest", "one");
        Map<Fault, FaultyRegistry> fronts = new LinkedHashMap<>();
        Map<Fault, WorkloadId> workloads = new LinkedHashMap<>();
        try (LogCapture log = new LogCapture();
                DockerRegistry stopped = DockerRegistry.start()) {
            String firstThere = stopped.push("team/app", "latest", "one");
            for (Fault fault : Fault.values()) {
                FaultyRegistry front = new FaultyRegistry(registry);
                fronts.put(fault, front);
                String name = fault.name().toLowerCase(Locale.ROOT).replace('_', '-');
                workloads.put(fault, cluster.deployment(namespace, name, front.host() + "/team/app:latest", 1));
            }
            WorkloadId there = cluster.deployment(namespace, "stopped", stopped.host() + "/team/app:latest", 1);
            assertThat(firstThere).isEqualTo(first);
            Await.until(
                    "all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, workloads.size() + 1, first));

            String[] hosts = Stream.concat(
                            fronts.values().stream().map(FaultyRegistry::host), Stream.of(stopped.host()))
                    .toArray(String[]::new);
            try (TestAgent agent = new TestAgent(cluster.configuration(), folder.resolve("db"), INTERVAL, hosts)) {
                agent.start();
                Await.until(
                        "ready",
                        Seen.within(SOON),
                        () -> agent.agent().notReady().isEmpty());
                Map<Fault, Integer> before = new LinkedHashMap<>();
                fronts.forEach((fault, front) -> {
                    front.fault(fault);
                    before.put(fault, front.asked());
                });
                stopped.stop();
                long begun = System.nanoTime();

                // The healthy registry is not delayed by the others.
                WorkloadId well = workloads.remove(Fault.NONE);
                String second = pushesAreFollowed(List.of(well), "two");
                Await.until(
                        "time passes", TROUBLE.multipliedBy(2), () -> System.nanoTime() - begun > TROUBLE.toNanos());

                // 1 + 2 + 4 + 8 seconds: a failing registry was asked about five times, not sixteen.
                workloads
                        .keySet()
                        .forEach(fault -> assertThat(fronts.get(fault).asked() - before.get(fault))
                                .as("questions while it %s", fault)
                                .isBetween(1, 6));
                assertThat(fronts.get(Fault.NONE).asked() - before.get(Fault.NONE))
                        .as("questions to the healthy registry")
                        .isGreaterThan(8);
                List<HostStatus> status = agent.agent().status().orElseThrow().registries();
                assertThat(status.stream().filter(host -> !host.healthy())).hasSize(5);
                assertThat(agent.agent().notAlive()).isEmpty();
                for (HostStatus host : status) {
                    assertThat(log.lines().stream()
                                    .filter(line ->
                                            line.startsWith("WARN") && line.contains("registry " + host.host())))
                            .as("warnings about %s", host)
                            .hasSize(host.healthy() ? 0 : 1);
                }

                // All have recovered: the next time they are asked, everything is as before.
                fronts.values().forEach(front -> front.fault(Fault.NONE));
                stopped.restart();
                stopped.push("team/app", "latest", "two");
                Await.until(
                        "all are followed again",
                        Seen.within(Duration.ofSeconds(40)),
                        () -> Seen.actedOn(cluster, workloads.values(), second)
                                && Seen.actedOn(cluster, there, second));
                // Pods that have not started yet would pull the next push by themselves: nothing would be left to roll
                // out.
                Await.until(
                        "all run the second",
                        Seen.within(SOON),
                        () -> Seen.running(cluster, namespace, workloads.size() + 2, second));
                assertThat(Seen.revision(cluster, there)).isEqualTo(2);
                assertThat(agent.agent().status().orElseThrow().registries()).allMatch(HostStatus::healthy);
                workloads.put(Fault.NONE, well);
                pushesAreFollowed(workloads.values(), "three");
            }
        } finally {
            fronts.values().forEach(FaultyRegistry::close);
        }
    }

    /** Pushes a few images, which are rolled out within the interval as if nothing were wrong, and returns the last. */
    private String pushesAreFollowed(Collection<WorkloadId> ids, String last) {
        List<Duration> took = new ArrayList<>();
        String pushed = "";
        for (String content : List.of(last + " at first", last + " at second", last)) {
            String digest = registry.push("team/app", "latest", content);
            pushed = digest;
            took.add(Seen.timeUntil(content + " is followed", SOON, () -> Seen.actedOn(cluster, ids, digest)));
            // Pods that have not started yet would pull the next push by themselves: nothing would be left to roll out.
            ids.forEach(id -> Await.until(
                    id + " runs " + content, Seen.within(SOON), () -> Seen.running(cluster, id, List.of(digest))));
        }
        assertThat(Seen.median(took)).as("%s", took).isLessThan(Seen.within(INTERVAL.plusSeconds(2)));
        return pushed;
    }

    @Test
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void aWrongTokenIsReportedOnceSentOnceAndTriedAtOnceWhenItIsCorrected() throws Exception {
        String namespace = cluster.enabledNamespace();
        try (TokenServer gitlab = new TokenServer();
                DockerRegistry guarded = DockerRegistry.builder().tokens(gitlab).start();
                LogCapture log = new LogCapture()) {
            gitlab.accessToken("right-token", "team/app", "team/other");
            AtomicReference<Credential> credential =
                    new AtomicReference<>(new Credential.Basic("ci", Secret.of("wrong-token")));
            // The pods cannot pull: the nodes have no credential. The agent rolls out all the same.
            String digest = guarded.push("team/app", "latest", "one");
            guarded.push("team/other", "latest", "one");
            WorkloadId id = cluster.deployment(namespace, "web", guarded.host() + "/team/app:latest", 1);
            cluster.deployment(namespace, "other", guarded.host() + "/team/other:latest", 1);
            try (TestAgent agent = new TestAgent(
                    cluster.configuration(),
                    folder.resolve("db"),
                    INTERVAL,
                    new Settable(credential),
                    guarded.host())) {
                agent.start();
                Await.until("passes", Seen.within(SOON), () -> agent.passes() >= 6);
                long shown = gitlab.requests().stream()
                        .filter(request -> request.getHeaders().get("Authorization") != null)
                        .count();
                assertThat(shown).as("how often the wrong token was sent").isEqualTo(1);
                assertThat(log.lines().stream()
                                .filter(line -> line.startsWith("WARN") && line.contains(guarded.host())))
                        .as("warnings")
                        .hasSize(1)
                        .first()
                        .asString()
                        .contains("team/")
                        .contains("401");
                credential.set(new Credential.Basic("ci", Secret.of("right-token")));
                // At once, whereas an unchanged rejected credential is tried again only after an hour.
                Await.until(
                        "it is resolved",
                        Seen.within(SOON),
                        () -> agent.agent()
                                .status()
                                .orElseThrow()
                                .registries()
                                .get(0)
                                .healthy());
                assertThat(log.lines()).noneMatch(line -> line.contains("wrong-token") || line.contains("right-token"));
                assertThat(digest).startsWith("sha256:");
                assertThat(cluster.read(id)).isNotNull();
            }
        }
    }

    private record Settable(AtomicReference<Credential> credential) implements CredentialProvider {
        @Override
        public List<Credential> credentials(String registry, String repository) {
            return List.of(credential.get());
        }

        @Override
        public String describe(String registry, String repository) {
            return "a token of the test";
        }
    }
}
