package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Two agents as processes of their own: one acts, the other one takes over, and no move is rolled out twice. */
class LeaderElectionIT {
    private static final int DEPLOYMENTS = 6;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration TAKEN_OVER = Duration.ofSeconds(20);
    private static final Duration HANDED_OVER = Duration.ofSeconds(3);

    @TempDir
    private Path folder;

    @RegisterExtension
    private final ClusterScene scene = new ClusterScene();

    private final Cluster cluster = scene.cluster();
    private final DockerRegistry registry = scene.registry();
    private final String namespace = scene.namespace();
    private List<WorkloadId> ids;
    private final List<AgentProcess> agents = new ArrayList<>();
    private int explanations;

    @BeforeEach
    void start() {
        String first = registry.push("team/app", "latest", "0");
        ids = Seen.deployments(cluster, namespace, registry.host() + "/team/app:latest", DEPLOYMENTS);
        awaitRunning(first);
    }

    @AfterEach
    void stop() {
        agents.forEach(AgentProcess::close);
    }

    @Test
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void aKilledLeaderIsReplacedAStoppedLeaderHandsOverAndNothingIsRolledOutTwice() throws Exception {
        AgentProcess first = agent("first", "run");
        Await.until("the first leads", Seen.within(SOON), () -> leads("first"));
        AgentProcess second = agent("second", "run");
        Await.until(
                "the second stands by", Seen.within(SOON), () -> second.log().contains("stands by until"));
        String moved = registry.push("team/app", "latest", "1");
        Await.until("the first acts", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, moved));
        assertThat(second.log()).doesNotContain("rollout started");
        revisionsAre(2);
        Await.until("the second explains what it sees", Seen.within(SOON), () -> {
            assertThat(explained("second"))
                    .startsWith("the running agent second")
                    .contains("standby: first_", "kubectl exec first -- urunner explain")
                    .contains(ids.get(0).toString(), moved.substring(0, "sha256:".length() + 12), "up to date");
            assertThat(explained("first")).contains(" succeeded ").doesNotContain("standby");
            return true;
        });

        // Pods that have not started yet would pull the next push by themselves: nothing would be left to roll out.
        awaitRunning(moved);
        String midway = registry.push("team/app", "latest", "2");
        Await.until("a patch", Seen.within(SOON), () -> ids.stream().anyMatch(id -> Seen.actedOn(cluster, id, midway)));
        first.kill();
        Await.until("the second leads", Seen.within(TAKEN_OVER), () -> leads("second"));
        Await.until("the last digest arrives", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, midway));
        revisionsAre(3);

        List<Duration> handedOver = new ArrayList<>();
        AgentProcess leader = second;
        for (String name : List.of("third", "fourth", "fifth")) {
            AgentProcess next = agent(name, "run");
            Await.until(
                    "the " + name + " stands by",
                    Seen.within(SOON),
                    () -> next.log().contains("stands by until"));
            AgentProcess stopped = leader;
            Thread stopping = new Thread(() -> terminate(stopped));
            stopping.start();
            handedOver.add(Seen.timeUntil("the " + name + " leads", SOON, () -> leads(name)));
            stopping.join();
            leader = next;
        }
        assertThat(Seen.median(handedOver)).as("%s", handedOver).isLessThan(Seen.within(HANDED_OVER));
        awaitRunning(midway);
        String last = registry.push("team/app", "latest", "3");
        Await.until("the last one acts", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, last));
        awaitRunning(last);
        revisionsAre(4);
    }

    @Test
    @Timeout(value = 2, unit = TimeUnit.MINUTES)
    void onceNeedsNoLease() throws Exception {
        agent("first", "run");
        Await.until("the first leads", Seen.within(SOON), () -> leads("first"));
        agents.get(0).kill();
        String moved = registry.push("team/app", "latest", "1");
        AgentProcess once = agent("once", "once");
        assertThat(once.exitCode()).as(once.log()).isZero();
        assertThat(Seen.actedOn(cluster, ids, moved)).isTrue();
        assertThat(leads("first")).isTrue();
    }

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void eachPermissionForTheLeaseIsNamedWhileItIsMissing() throws Exception {
        Path kubeconfig = cluster.serviceAccount(namespace, "agent", rules());
        try {
            AgentProcess agent = agent("first", "run", Map.of("KUBECONFIG", kubeconfig.toString()));
            awaitSaid(agent, "not allowed to get leases in namespace " + namespace);
            grant("get");
            awaitSaid(agent, "not allowed to create leases in namespace " + namespace);
            grant("get", "create");
            Await.until("it leads", Seen.within(SOON), () -> leads("first"));
            awaitSaid(agent, "not allowed to update leases in namespace " + namespace);
            awaitSaid(agent, "is no longer the leader");
            String moved = registry.push("team/app", "latest", "1");
            grant("get", "create", "update");
            Await.until("it acts again", Seen.within(SOON), () -> Seen.actedOn(cluster, ids, moved));
        } finally {
            cluster.deleteRole(namespace, "agent");
        }
    }

    private void grant(String... verbs) {
        cluster.merge(
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/" + namespace + "-agent",
                Cluster.json("{\"rules\":" + rules(verbs) + "}"));
    }

    /** The permissions of an agent, with these verbs for Leases. */
    private static String rules(String... verbs) {
        String leases = Stream.of(verbs).map(verb -> '"' + verb + '"').collect(Collectors.joining(","));
        return """
                [{"apiGroups":[""],"resources":["namespaces","pods"],"verbs":["list","watch"]},
                 {"apiGroups":[""],"resources":["events"],"verbs":["create","patch"]},
                 {"apiGroups":["apps"],"resources":["deployments","statefulsets","daemonsets"],
                  "verbs":["get","list","watch","patch"]},
                 {"apiGroups":["apps"],"resources":["replicasets","controllerrevisions"],"verbs":["list","watch"]}%s]""".formatted(
                        leases.isEmpty()
                                ? ""
                                : ",{\"apiGroups\":[\"coordination.k8s.io\"],\"resources\":[\"leases\"],\"verbs\":["
                                        + leases + "]}");
    }

    private static void awaitSaid(AgentProcess agent, String words) {
        Await.until(
                "the agent says: " + words, Seen.within(SOON), () -> agent.log().contains(words));
    }

    private static void terminate(AgentProcess agent) {
        try {
            agent.terminate();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitRunning(String digest) {
        Await.until("all run", Seen.within(SOON), () -> Seen.running(cluster, namespace, DEPLOYMENTS, digest));
    }

    private void revisionsAre(int expected) {
        assertThat(ids).allSatisfy(id -> assertThat(Seen.revision(cluster, id)).isEqualTo(expected));
    }

    private boolean leads(String name) {
        Optional<JsonNode> lease =
                cluster.find("/apis/coordination.k8s.io/v1/namespaces/" + namespace + "/leases/urunner-test");
        return lease.map(found -> found.path("spec").path("holderIdentity").asText())
                .filter(holder -> holder.startsWith(name + "_"))
                .isPresent();
    }

    /** The output of {@code explain} beside this agent. */
    private String explained(String name) throws Exception {
        Path log = folder.resolve(name + "-explained-" + explanations++ + ".log");
        Map<String, String> settings = settings(name);
        try (AgentProcess command = AgentProcess.start(log, settings, "explain", "--wide")) {
            assertThat(command.exitCode()).as(command.log()).isZero();
            return command.log().replaceFirst("Picked up JAVA_TOOL_OPTIONS: .*\n", "");
        }
    }

    private AgentProcess agent(String name, String command) throws IOException {
        return agent(name, command, Map.of());
    }

    private AgentProcess agent(String name, String command, Map<String, String> more) throws IOException {
        Files.createDirectories(folder.resolve(name));
        Map<String, String> settings = settings(name);
        settings.putAll(more);
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(FreePort.find()));
        AgentProcess agent = AgentProcess.start(folder.resolve(name + ".log"), settings, command);
        agents.add(agent);
        return agent;
    }

    private Map<String, String> settings(String name) {
        Map<String, String> settings = AgentProcess.settings(cluster, folder.resolve(name + ".db"), 1, registry.host());
        settings.put("HOSTNAME", name);
        settings.put("URUNNER_CONF_LEADER_ELECTION", "true");
        settings.put("URUNNER_CONF_LEASE_NAME", "urunner-test");
        settings.put("URUNNER_CONF_LEASE_NAMESPACE", namespace);
        // As in a pod of its own, where commands find only this agent.
        settings.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder.resolve(name));
        return settings;
    }
}
