package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tenants of one agent and one registry: A, who only wants their pushes to be rolled out, of a public image and of a
 * private one, and a tenant B for each attack. The agent is a process with the image's JVM options.
 */
final class AttackScene implements AutoCloseable {
    static final Duration INTERVAL = Duration.ofSeconds(5);
    static final Duration SOON = Duration.ofSeconds(60);
    static final String PASSWORD_OF_A = "the-password-of-tenant-a";

    /** Twice the time without an attack, even on a machine with twenty times the load that it can handle. */
    private static final Duration LIMIT = INTERVAL.plusSeconds(5);

    /** A push that takes this long is never rolled out, however busy the machine is. */
    private static final Duration NEVER = Duration.ofSeconds(30);

    private static final int PUSHES = 5;
    private final Cluster cluster;
    private final DockerRegistry real;
    private final HostileRegistry registry;
    private final Path folder;
    private final String a;
    private final Map<Attack, String> attackers = new LinkedHashMap<>();
    private final Map<Attack, HostileRegistry> elsewhere = new EnumMap<>(Attack.class);
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final List<WorkloadId> victims;
    private final List<String> privateDigests = new ArrayList<>();
    private final List<String> registries = new ArrayList<>();
    private String options = "";
    private final List<Duration> took = new ArrayList<>();
    private ProbedAgent agent;

    AttackScene(Cluster cluster, DockerRegistry real, Path folder, Collection<Attack> attacks) throws IOException {
        this.cluster = cluster;
        this.real = real;
        this.folder = Files.createDirectories(folder);
        registry = with(new HostileRegistry(real));
        // The order of names must not protect anybody: A comes last.
        List<String> namespaces = new ArrayList<>(new TreeSet<>(IntStream.rangeClosed(0, attacks.size())
                .mapToObj(i -> cluster.enabledNamespace())
                .toList()));
        a = namespaces.remove(namespaces.size() - 1);
        attacks.forEach(attack -> attackers.put(attack, namespaces.remove(0)));

        registry.restrict(a + "/private", "tenant-a", PASSWORD_OF_A);
        secret(a, "registry", Map.of(registry.host(), "tenant-a:" + PASSWORD_OF_A));
        push("the first");
        victims = List.of(
                deployment(a, "public", publicImage(), 1, pod -> {}),
                deployment(a, "private", privateImage(), 1, pod -> pullSecrets(pod, "registry")));
    }

    Cluster cluster() {
        return cluster;
    }

    HostileRegistry registry() {
        return registry;
    }

    DockerRegistry real() {
        return real;
    }

    Path folder() {
        return folder;
    }

    ProbedAgent agent() {
        return agent;
    }

    /** The victim's namespace. */
    String a() {
        return a;
    }

    String publicImage() {
        return image(a + "/public");
    }

    String privateImage() {
        return image(a + "/private");
    }

    String image(String repository) {
        return registry.host() + "/" + repository + ":latest";
    }

    /** Closes this with the scene. */
    <T extends AutoCloseable> T with(T part) {
        parts.add(part);
        return part;
    }

    WorkloadId deployment(String namespace, String name, String image, int replicas, Consumer<ObjectNode> pod) {
        return cluster.workload(
                new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name),
                image,
                replicas,
                workload -> pod.accept(workload.withObject("/spec/template/spec")));
    }

    /** Creates a workload with this many containers of different images. */
    void containers(String namespace, String name, int count, String folderOfImages) {
        deployment(
                namespace,
                name,
                image(folderOfImages + "/x0"),
                0,
                pod -> IntStream.range(1, count)
                        .forEach(i -> pod.withArray("containers")
                                .addObject()
                                .put("name", "x" + i)
                                .put("image", image(folderOfImages + "/x" + i))));
    }

    static void pullSecrets(ObjectNode pod, String... names) {
        Stream.of(names)
                .forEach(name -> pod.withArray("imagePullSecrets").addObject().put("name", name));
    }

    /** A pull secret: users by registry. */
    void secret(String namespace, String name, Map<String, String> users) {
        String auths = users.entrySet().stream()
                .map(entry ->
                        "\"" + entry.getKey() + "\":{\"auth\":\"" + HostileRegistry.base64(entry.getValue()) + "\"}")
                .collect(Collectors.joining(","));
        ObjectNode secret = Cluster.object("v1", "Secret", name);
        secret.put("type", "kubernetes.io/dockerconfigjson");
        secret.putObject("data").put(".dockerconfigjson", HostileRegistry.base64("{\"auths\":{" + auths + "}}"));
        cluster.create("/api/v1/namespaces/" + namespace + "/secrets", secret);
        users.values().stream().limit(1).forEach(user -> UsedSecrets.add(user.substring(user.indexOf(':') + 1)));
    }

    /** Additional settings of the registry that the tenants share. */
    void registryOptions(String more) {
        options += more;
    }

    /** Another registry of the agent, with these settings. */
    void registry(String host, String settings) {
        registries.add("- {host: '" + host + "', " + settings + "}\n");
    }

    /** An attacker's server, at every address of this machine, that is not in the agent's configuration. */
    HostileRegistry elsewhere(Attack attack) throws IOException {
        HostileRegistry known = elsewhere.get(attack);
        if (known == null) {
            known = with(new HostileRegistry(real, new InetSocketAddress(0).getAddress()));
            elsewhere.put(attack, known);
        }
        return known;
    }

    /** The digests that A's private image had, which no other tenant may learn. */
    List<String> privateDigests() {
        return privateDigests;
    }

    /** Waits until an attack is complete: with others at the same time its turn may come late. */
    void awaitIfAlone(String what, Callable<Boolean> tried) {
        if (attackers.size() == 1) {
            agent.await(what, Seen.within(SOON), tried);
        }
    }

    /** Lets every tenant attack, and verifies that A is not affected. */
    void assertWithstood() throws Exception {
        Map<String, String> settings = new HashMap<>();
        settings.put(
                "URUNNER_CONF_NAMESPACES",
                Stream.concat(Stream.of(a), attackers.values().stream()).collect(Collectors.joining(",")));
        forEachAttack((attack, b) -> attack.prepare(this, b, settings));
        String shared = "- {host: '" + registry.host() + "', type: generic" + options + "}\n";
        agent = with(new ProbedAgent(cluster, folder, INTERVAL, shared + String.join("", registries), settings));
        followed("before the attack");
        took.clear();

        long mark = cluster.auditLog().orElseThrow().mark();
        forEachAttack((attack, b) -> attack.begin(this, b));
        forEachAttack((attack, b) -> deployment(b, "last", image(b + "/last"), 0, pod -> {}));
        awaitEffect();
        // The median is known once most were too slow.
        for (int i = 0; i < PUSHES && tooSlow() <= PUSHES / 2; i++) {
            int push = i;
            String digest = publicImage("push " + i).digest();
            forEachAttack((attack, b) -> attack.beforePush(this, b, digest, push));
            followed("push " + i);
        }
        System.out.println(attackers.keySet() + ": from push to patch " + took);

        List<Throwable> problems = new ArrayList<>();
        check(problems, this::assertFollowed);
        forEachAttack((attack, b) -> check(problems, () -> attack.proof(this, b, mark)));
        check(problems, agent::assertAlive);
        check(problems, this::assertRegistryUp);
        check(problems, agent::assertLogHarmless);
        check(problems, this::assertNothingCrosses);
        assertThat(problems)
                .as("successful attacks of the tenants %s", attackers)
                .isEmpty();
    }

    private interface Step {
        void by(Attack attack, String b) throws Exception;
    }

    private void forEachAttack(Step step) throws Exception {
        for (Map.Entry<Attack, String> attacker : attackers.entrySet()) {
            step.by(attacker.getKey(), attacker.getValue());
        }
    }

    private interface Check {
        void run() throws Exception;
    }

    private static void check(List<Throwable> problems, Check check) {
        try {
            check.run();
        } catch (Exception | AssertionError e) {
            problems.add(e);
        }
    }

    private long tooSlow() {
        return took.stream().filter(time -> time.compareTo(LIMIT) >= 0).count();
    }

    private void assertFollowed() {
        assertThat(Seen.median(took))
                .as("median time from a push of A to its patch, %s", took)
                .isLessThan(LIMIT);
    }

    private void assertRegistryUp() throws Exception {
        String series = "urunner_registry_up{registry=\"" + registry.host() + "\"}";
        assertThat(agent.metrics().lines().filter(line -> line.startsWith(series)))
                .containsExactly(series + " 1.0");
    }

    /** Waits for the effect of the attack: until the agent has asked for the newest object, or for a few passes. */
    private void awaitEffect() {
        long end = System.nanoTime() + INTERVAL.multipliedBy(3).toNanos();
        Await.until(
                "time passes",
                SOON,
                () -> System.nanoTime() > end
                        || attackers.values().stream().allMatch(b -> registry.asked(b + "/last") > 0));
    }

    private void push(String content) {
        real.push(a + "/public", "latest", publicImage(content));
        privateDigests.add(real.push(a + "/private", "latest", privateImage(content)));
    }

    private TestImage publicImage(String content) {
        return TestImage.image(a + content);
    }

    private TestImage privateImage(String content) {
        return TestImage.image(a + " private " + content);
    }

    private void followed(String content) {
        push(content);
        List<String> pushed =
                List.of(publicImage(content).digest(), privateImage(content).digest());
        long begun = System.nanoTime();
        try {
            agent.await(
                    content + " is followed",
                    NEVER,
                    () -> IntStream.range(0, victims.size())
                            .allMatch(i -> Seen.actedOn(cluster, victims.get(i), pushed.get(i))));
            took.add(Duration.ofNanos(System.nanoTime() - begun));
        } catch (AssertionError e) {
            took.add(NEVER);
            return;
        }
        // Pods that have not started yet would pull the next push by themselves: nothing would be left to roll out.
        IntStream.range(0, victims.size())
                .forEach(i -> Await.until(
                        victims.get(i) + " runs " + content,
                        Seen.within(SOON),
                        () -> Seen.running(cluster, victims.get(i), List.of(pushed.get(i)))));
    }

    /** A cannot read about other tenants, and they cannot read about A. */
    private void assertNothingCrosses() {
        attackers.values().forEach(b -> {
            assertThat(told(a)).as("texts that A can read").doesNotContain(b);
            assertThat(told(b)).as("texts that B can read").doesNotContain(a + "/Deployment");
        });
    }

    /** The Events that the agent wrote in a namespace. */
    Stream<String> events(String namespace) {
        return cluster.events(namespace).stream()
                .filter(event -> event.at("/source/component").asText().equals("urunner"))
                .map(event -> event.path("reason").asText() + " "
                        + event.path("message").asText());
    }

    /** The agent's texts in places that a tenant can read. */
    String told(String namespace) {
        Stream<String> annotations = cluster.items("/apis/apps/v1/namespaces/" + namespace + "/deployments").stream()
                .flatMap(workload -> Stream.of(
                        workload.at("/metadata/annotations").path("urunner.io/state"),
                        workload.at("/spec/template/metadata/annotations").path("urunner.io/digests")))
                .map(annotation -> annotation.asText());
        return Stream.concat(events(namespace), annotations).collect(Collectors.joining("\n"));
    }

    @Override
    public void close() throws Exception {
        for (int i = parts.size() - 1; i >= 0; i--) {
            parts.get(i).close();
        }
    }
}
