package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.agent.chart.Chart;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.LogCapture;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each permission of the chart's ClusterRole is needed: without it the agent names the missing one. */
class PermissionsIT {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(60);
    /** About five seconds: a digest that comes back counts after two passes. */
    private static final int POLLS_BETWEEN_PUSHES = 100;

    @TempDir
    private Path folder;

    private Cluster cluster;
    private DockerRegistry registry;
    private String namespace;
    private int pushes;

    /** One verb for one resource. */
    private record Permission(String group, String resource, String verb) {
        String json() {
            return "{\"apiGroups\":[\"%s\"],\"resources\":[\"%s\"],\"verbs\":[\"%s\"]}"
                    .formatted(group, resource, verb);
        }

        boolean isAskedAtTheStart() {
            return verb.equals("list") || verb.equals("watch");
        }
    }

    @Test
    @Timeout(value = 6, unit = TimeUnit.MINUTES)
    void theAgentNamesEachMissingPermission() throws Exception {
        List<Permission> granted = granted();
        assertThat(granted).hasSizeGreaterThan(15);
        try (Cluster connected = Cluster.connect();
                DockerRegistry started = DockerRegistry.start()) {
            cluster = connected;
            registry = started;
            namespace = cluster.enabledNamespace();
            push();
            String image = registry.host() + "/team/app:latest";
            List<WorkloadId> ids = List.of(
                    cluster.deployment(namespace, "web", image, 1),
                    cluster.statefulSet(namespace, "db", image, 1),
                    cluster.daemonSet(namespace, "every", image));
            for (WorkloadId id : ids) {
                cluster.awaitRollout(id, Seen.within(SOON));
            }
            for (int i = 0; i < granted.size(); i++) {
                List<Permission> left = new ArrayList<>(granted);
                Permission missing = left.remove(i);
                assertNamesMissing("agent-" + i, missing, left, ids);
            }
        }
    }

    private void assertNamesMissing(String account, Permission missing, List<Permission> left, List<WorkloadId> ids)
            throws Exception {
        String rules =
                "[" + String.join(",", left.stream().map(Permission::json).toList()) + "]";
        Path kubeconfig = cluster.serviceAccount(namespace, account, rules);
        try (LogCapture log = new LogCapture();
                FaultProxy api = FaultProxy.of(cluster)) {
            if (missing.verb().equals("get")) {
                // Somebody changes a workload right before our patch: it is read again.
                api.before(request -> {
                    if (request.getMethod().equals("PATCH")
                            && request.getTarget().startsWith("/apis/apps/")) {
                        ids.forEach(id -> cluster.edit(
                                id, "{\"metadata\":{\"annotations\":{\"edited\":\"" + System.nanoTime() + "\"}}}"));
                    }
                });
            }
            KubeConfiguration through = KubeConfiguration.kubeconfig(api.kubeconfig(kubeconfig, folder));
            try (TestAgent agent = new TestAgent(through, folder.resolve(account + ".db"), INTERVAL, registry.host())) {
                agent.start();
                if (!missing.isAskedAtTheStart()) {
                    Await.until(
                            "ready",
                            Seen.within(SOON),
                            () -> agent.agent().notReady().isEmpty());
                }
                String said = "not allowed to " + missing.verb() + " " + missing.resource();
                AtomicLong asked = new AtomicLong();
                Await.until("the agent says: " + said, Seen.within(SOON), () -> {
                    // A digest that the previous agent has rolled out triggers nothing, but the next one does.
                    if (!missing.isAskedAtTheStart() && asked.getAndIncrement() % POLLS_BETWEEN_PUSHES == 0) {
                        push();
                    }
                    return log.lines().stream().anyMatch(line -> line.startsWith("WARN") && line.contains(said));
                });
            }
        } finally {
            cluster.deleteRole(namespace, account);
        }
    }

    /** Alternates between two digests: the same Events repeat. */
    private void push() {
        registry.push("team/app", "latest", pushes++ % 2 == 0 ? "even" : "odd");
    }

    private List<Permission> granted() throws IOException {
        JsonNode role = Chart.render(folder, "{scope: cluster}").objects().stream()
                .filter(object -> object.path("kind").asText().equals("ClusterRole"))
                .findFirst()
                .orElseThrow();
        List<Permission> granted = new ArrayList<>();
        role.path("rules")
                .forEach(rule -> rule.path("resources")
                        .forEach(resource -> rule.path("verbs")
                                .forEach(verb -> granted.add(new Permission(
                                        rule.path("apiGroups").path(0).asText(), resource.asText(), verb.asText())))));
        return granted;
    }
}
