package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.UsedSecrets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceAccessMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A single tenant, registry or stranger cannot stop the agent for everybody. */
class SecurityIT {
    /** Held exclusively by tests that measure times which other tests would change. */
    private static final String MACHINE = "the machine";

    private static final Duration PASSES = Duration.ofSeconds(2);
    private static final Duration HOSTILITY = Duration.ofSeconds(Integer.getInteger("security.hostility.seconds", 300));
    private static final Duration SOON = Duration.ofSeconds(60);
    /** The chart's limit. */
    private static final long MEMORY_LIMIT_KILOBYTES = 256 * 1024;

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;

    @BeforeAll
    static void start() {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
    }

    /** Each attack against an agent of its own, with several agents at once. */
    @ParameterizedTest
    @EnumSource(Attack.class)
    @Execution(ExecutionMode.CONCURRENT)
    @ResourceLock(value = MACHINE, mode = ResourceAccessMode.READ)
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void eachAttackByItself(Attack attack) throws Exception {
        withstands(attack.name().toLowerCase(Locale.ROOT), EnumSet.of(attack));
    }

    @Test
    @ResourceLock(MACHINE)
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void allAttacksAtOnce() throws Exception {
        // A budget is shared by all: with so many tenants A's part would be less than A needs.
        withstands("all", EnumSet.complementOf(EnumSet.of(Attack.MANY_REFERENCES_AND_A_BUDGET)));
    }

    /** The operator's mistakes are reported without the secrets in them. */
    @Test
    @Execution(ExecutionMode.CONCURRENT)
    @ResourceLock(value = MACHINE, mode = ResourceAccessMode.READ)
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void aBrokenConfigurationDisclosesNoSecret() throws Exception {
        String secret = "5ecret-of-the-operator";
        UsedSecrets.add(secret);
        String kubeconfig = """
                current-context: main
                contexts: [{name: main, context: {cluster: main, user: main}}]
                clusters: [{name: main, cluster: {server: 'https://127.0.0.1:1'}}]
                users: [{name: main, user: {token: SECRET}}]
                """;
        Map<String, Map<String, String>> broken = new LinkedHashMap<>();
        for (String text : List.of(
                kubeconfig.replace("token: SECRET", "token: *SECRET"),
                kubeconfig.replace("token: SECRET", "token: \"SECRET\\q\""),
                "- SECRET: [",
                kubeconfig.replace("https://", "https://bot:SECRET@"),
                kubeconfig.replace("https://", "https://bot:SECRET %@"),
                kubeconfig.replace("{server", "{proxy-url: 'http://bot:SECRET@127.0.0.1:3128', server"),
                kubeconfig.replace(
                        "token: SECRET",
                        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: [-c, 'echo SECRET; echo"
                                + " SECRET >&2; exit 1']}"))) {
            Path file = folder.resolve("kubeconfig" + broken.size());
            Files.writeString(file, text.replace("SECRET", secret));
            broken.put(text, Map.of("KUBECONFIG", file.toString()));
        }
        for (String url : List.of(
                "jdbc:postgresql://bot:SECRET@127.0.0.1:1/x",
                "jdbc:postgresql://127.0.0.1:1/x?user=bot&password=a;SECRET",
                "postgres://bot:SECRET@127.0.0.1:1/x")) {
            broken.put(url, Map.of("URUNNER_CONF_DATABASE_URL", url.replace("SECRET", secret)));
        }
        Path file = folder.resolve("broken.yaml");
        Files.writeString(file, "registries: [{host: 'bot:" + secret + "@a.example'}, {token: *" + secret + "}]");
        broken.put("a file that is no YAML", Map.of("URUNNER_CONFIG", file.toString()));
        Map<String, AgentProcess> processes = new LinkedHashMap<>();
        try {
            broken.forEach((text, wrong) -> {
                Map<String, String> settings =
                        new HashMap<>(AgentProcess.settings(cluster, folder.resolve("broken-db"), 1, "a.example"));
                settings.putAll(wrong);
                Path log = folder.resolve("broken" + processes.size());
                processes.put(text, AgentProcess.start(log, settings, "once"));
            });
            for (Map.Entry<String, AgentProcess> each : processes.entrySet()) {
                each.getValue().exitCode();
                String said = each.getValue().log();
                assertThat(said.contains(secret))
                        .as("the secret of %s is disclosed", each.getKey())
                        .isFalse();
                assertThat(said)
                        .as(each.getKey())
                        .containsAnyOf("kubeconfig", "API server", "database", "DATABASE_URL", "broken.yaml")
                        .doesNotContain("\tat ");
            }
        } finally {
            processes.values().forEach(AgentProcess::close);
        }
    }

    /**
     * A registry for each hostile answer, beside a healthy one: the agent lives, has no more memory than the chart
     * gives it, rolls out the pushes to the other registry as before, and in the end has no more threads and open
     * files.
     */
    @Test
    @ResourceLock(MACHINE)
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void hostileRegistries() throws Exception {
        Map<HostileAnswer, HostileRegistry> hostile = new EnumMap<>(HostileAnswer.class);
        try (HostileRegistry well = new HostileRegistry(registry)) {
            String namespace = cluster.enabledNamespace();
            StringBuilder registries = new StringBuilder("- {host: '" + well.host() + "', type: generic}\n");
            for (HostileAnswer answer : HostileAnswer.values()) {
                HostileRegistry front = new HostileRegistry(registry);
                hostile.put(answer, front);
                registries.append("- {host: '").append(front.host()).append("', type: generic, interval: 5s}\n");
                if (answer.isOfTls()) {
                    // Whether a registry speaks TLS is checked only once.
                    answer.of(front);
                }
            }
            registry.push("team/app", "latest", "the first");
            WorkloadId web = cluster.deployment(namespace, "web", well.host() + "/team/app:latest", 1);
            cluster.workload(
                    new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, "hostile"),
                    well.host() + "/team/app:latest",
                    0,
                    workload -> hostile.forEach((answer, front) -> workload.withObject("/spec/template/spec")
                            .withArray("containers")
                            .addObject()
                            .put("name", "c" + answer.ordinal())
                            .put("image", front.host() + "/team/app:latest")));
            try (ProbedAgent agent = new ProbedAgent(
                    cluster,
                    Files.createDirectories(folder.resolve("hostile")),
                    PASSES,
                    registries.toString(),
                    Map.of("URUNNER_CONF_NAMESPACES", namespace))) {
                besideAHealthyOne(agent, new Pushes(agent, well, web), hostile);
            }
        } finally {
            for (HostileRegistry front : hostile.values()) {
                front.close();
            }
        }
    }

    private static void besideAHealthyOne(ProbedAgent agent, Pushes pushes, Map<HostileAnswer, HostileRegistry> hostile)
            throws Exception {
        List<Duration> before = pushes.during(Duration.ofSeconds(30));
        long threads = most(agent::threads);
        long files = most(agent::files);

        hostile.forEach((answer, front) -> answer.of(front));
        Map<HostileAnswer, Integer> asked = new EnumMap<>(HostileAnswer.class);
        hostile.forEach((answer, front) -> asked.put(answer, front.connections()));
        List<Duration> meanwhile = pushes.during(HOSTILITY);
        asked.replaceAll((answer, earlier) -> hostile.get(answer).connections() - earlier);
        hostile.values().forEach(HostileRegistry::answerWell);

        System.out.println("from a question to the patch for what was pushed after it: median "
                + Seen.median(before) + " before, " + Seen.median(meanwhile) + " beside hostile registries; "
                + agent.peakKilobytes() / 1024 + " MB at most; asked " + asked);
        agent.assertAlive();
        agent.assertLogHarmless();
        assertThat(asked).allSatisfy((answer, times) -> assertThat(times).isPositive());
        assertThat(agent.peakKilobytes()).isLessThan(MEMORY_LIMIT_KILOBYTES);
        assertThat(Seen.median(meanwhile).toMillis())
                .as("%s, before %s", meanwhile, before)
                .isLessThan(Seen.median(before).toMillis() * 12 / 10);
        Await.until("threads and files are as few as before", Seen.within(SOON.multipliedBy(2)), () -> {
            assertThat(agent.threads()).as("threads").isLessThanOrEqualTo(threads);
            assertThat(agent.files()).as("open files").isLessThanOrEqualTo(files);
            return true;
        });
    }

    /** The maximum of some passes: threads and connections come and go with each. */
    private static long most(Callable<Long> count) throws Exception {
        long most = 0;
        for (long end = System.nanoTime() + PASSES.multipliedBy(4).toNanos(); System.nanoTime() < end; ) {
            most = Math.max(most, count.call());
            Thread.sleep(50);
        }
        return most;
    }

    /** Pushes to a registry right after the agent asked it, so that times differ only because of the agent. */
    private static final class Pushes {
        private final ProbedAgent agent;
        private final HostileRegistry well;
        private final WorkloadId workload;
        private int count;

        Pushes(ProbedAgent agent, HostileRegistry well, WorkloadId workload) {
            this.agent = agent;
            this.well = well;
            this.workload = workload;
        }

        List<Duration> during(Duration time) {
            List<Duration> took = new ArrayList<>();
            long end = System.nanoTime() + time.toNanos();
            while (System.nanoTime() < end) {
                long asked = questions();
                agent.await("the well registry is asked", Seen.within(SOON), () -> questions() > asked);
                long begun = System.nanoTime();
                String digest = registry.push("team/app", "latest", "push " + count++);
                agent.await("it is followed", Seen.within(SOON), () -> Seen.actedOn(cluster, workload, digest));
                took.add(Duration.ofNanos(System.nanoTime() - begun));
                Await.until("it runs", Seen.within(SOON), () -> Seen.running(cluster, workload, List.of(digest)));
            }
            return took;
        }

        private long questions() {
            return well.asked().filter(asked -> asked.method().equals("HEAD")).count();
        }
    }

    private static void withstands(String name, Set<Attack> attacks) throws Exception {
        try (AttackScene scene = new AttackScene(cluster, registry, folder.resolve(name), attacks)) {
            scene.assertWithstood();
        }
    }
}
