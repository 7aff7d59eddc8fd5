package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TestImage;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tenants of one agent and one registry: A, who only wants his pushes to be followed, of a public image and of a private
 * one, and a tenant B for each attack. The agent is a process with the image's JVM options.
 */
final class AttackScene implements AutoCloseable {
    static final Duration INTERVAL = Duration.ofSeconds(5);
    static final Duration SOON = Duration.ofSeconds(60);
    static final String PASSWORD_OF_A = "the-password-of-tenant-a";

    private static final Duration TOO_LONG = Duration.ofSeconds(20);
    private static final int PUSHES = 5;
    private static final Duration PROBE = Duration.ofMillis(500);
    /** The kubelet's: a probe must be answered within a second, and after three that were not the agent is restarted. */
    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);

    private static final int PROBES_LOST = 3;

    private static final Pattern LOG_LINE = Pattern.compile("\\d{4}-\\d\\d-\\d\\d\\S+ +(DEBUG|INFO|WARN|ERROR) .*");
    private static final int LONGEST_LINE = 4096;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(PROBE_TIMEOUT).build();

    private final Cluster cluster;
    private final DockerRegistry real;
    private final HostileRegistry registry;
    private final Path folder;
    private final String a;
    private final Map<Attack, String> attackers = new LinkedHashMap<>();
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final List<WorkloadId> victims;
    private final List<String> privateDigests = new ArrayList<>();
    private final List<String> registries = new ArrayList<>();
    private String options = "";
    private final List<Duration> took = new ArrayList<>();
    private AgentProcess agent;
    private int port;
    private volatile int lostProbes;

    AttackScene(Cluster cluster, DockerRegistry real, Path folder, Collection<Attack> attacks) throws IOException {
        this.cluster = cluster;
        this.real = real;
        this.folder = Files.createDirectories(folder);
        registry = with(new HostileRegistry(real));
        // Who comes first in an order of names does not protect anybody: A comes last.
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

    Path database() {
        return folder.resolve("db");
    }

    AgentProcess agent() {
        return agent;
    }

    int port() {
        return port;
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

    /** Has so many containers of images of its own. */
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

    /** A pull secret: who is shown to which registry. */
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

    /** Further settings of the registry that the tenants share. */
    void registryOptions(String more) {
        options += more;
    }

    /** A further registry of the agent. */
    void registry(String host, String type) {
        registries.add("- {host: '" + host + "', type: " + type + "}\n");
    }

    /** The digests that A's private image had, of which no other tenant hears. */
    List<String> privateDigests() {
        return privateDigests;
    }

    /** Lets every tenant attack, and shows that A does not notice. */
    void isWithstood() throws Exception {
        Map<String, String> settings =
                new HashMap<>(AgentProcess.settings(cluster, database(), (int) INTERVAL.toSeconds(), registry.host()));
        port = FreePort.find();
        settings.keySet().removeIf(name -> name.startsWith("URUNNER_CONF_CONTAINER_REGISTRY"));
        settings.put("URUNNER_CONFIG", folder.resolve("config.yaml").toString());
        settings.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        settings.put("URUNNER_SECR_HTTP_TOKEN", "token-of-the-commands");
        settings.put(
                "URUNNER_CONF_NAMESPACES",
                Stream.concat(Stream.of(a), attackers.values().stream()).collect(Collectors.joining(",")));
        for (Map.Entry<Attack, String> attack : attackers.entrySet()) {
            attack.getKey().prepare(this, attack.getValue(), settings);
        }
        Files.writeString(
                folder.resolve("config.yaml"),
                "registries:\n- {host: '" + registry.host() + "', type: generic" + options + "}\n"
                        + String.join("", registries));
        agent = with(AgentProcess.start(folder.resolve("log"), settings, "run"));
        Await.until("ready", Seen.within(SOON), () -> get("/readyz") == 200);
        followed("before the attack");
        took.clear();

        long mark = cluster.auditLog().orElseThrow().mark();
        Thread probes = new Thread(this::probe, "probes");
        probes.setDaemon(true);
        try {
            for (Map.Entry<Attack, String> attack : attackers.entrySet()) {
                attack.getKey().begin(this, attack.getValue());
            }
            for (String b : attackers.values()) {
                deployment(b, "last", image(b + "/last"), 0, pod -> {});
            }
            probes.start();
            awaitEffect();
            // The median of five is decided when three were too slow.
            for (int i = 0; i < PUSHES && tooSlow() <= PUSHES / 2; i++) {
                for (Map.Entry<Attack, String> attack : attackers.entrySet()) {
                    attack.getKey()
                            .beforePush(
                                    this,
                                    attack.getValue(),
                                    publicImage("push " + i).digest(),
                                    i);
                }
                followed("push " + i);
            }
            List<Throwable> problems = new ArrayList<>();
            check(problems, this::wasFollowed);
            for (Map.Entry<Attack, String> attack : attackers.entrySet()) {
                check(problems, () -> attack.getKey().proof(this, attack.getValue(), mark));
            }
            check(
                    problems,
                    () -> assertThat(agent.isAlive()).as("the agent lives").isTrue());
            check(
                    problems,
                    () -> assertThat(lostProbes)
                            .as("probes in a row without an answer")
                            .isLessThan(PROBES_LOST));
            check(
                    problems,
                    () -> assertThat(metrics())
                            .contains("urunner_registry_up{registry=\"" + registry.host() + "\"} 1.0"));
            check(problems, this::logIsHarmless);
            check(problems, this::nothingCrosses);
            System.out.println(attackers.keySet() + ": from push to patch " + took);
            assertThat(problems).as("attacks of %s that succeeded", attackers).isEmpty();
        } finally {
            probes.interrupt();
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
        return took.stream().filter(time -> time.compareTo(limit()) >= 0).count();
    }

    private static Duration limit() {
        return Seen.within(INTERVAL.plusSeconds(5));
    }

    private void wasFollowed() {
        assertThat(Seen.median(took))
                .as("the median of the times from a push of A to its patch, %s", took)
                .isLessThan(limit());
    }

    /** Gives what was done a time to have its effect: until the agent has asked for what was made last, or a few passes. */
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
            Await.until(
                    content + " is followed",
                    TOO_LONG,
                    () -> IntStream.range(0, victims.size())
                            .allMatch(i -> Seen.actedOn(cluster, victims.get(i), pushed.get(i))));
            took.add(Duration.ofNanos(System.nanoTime() - begun));
        } catch (AssertionError e) {
            took.add(TOO_LONG);
            return;
        }
        // Pods that are still to start would pull the next push by themselves: nothing would be left to roll out.
        IntStream.range(0, victims.size())
                .forEach(i -> Await.until(
                        victims.get(i) + " runs " + content,
                        Seen.within(SOON),
                        () -> Seen.running(cluster, victims.get(i), List.of(pushed.get(i)))));
    }

    private void probe() {
        int lost = 0;
        while (!Thread.currentThread().isInterrupted()) {
            try {
                lost = get("/livez") == 200 ? 0 : lost + 1;
            } catch (IOException e) {
                lost++;
            } catch (InterruptedException e) {
                return;
            }
            lostProbes = Math.max(lostProbes, lost);
            try {
                Thread.sleep(PROBE.toMillis());
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    int get(String path) throws IOException, InterruptedException {
        return HTTP.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .timeout(PROBE_TIMEOUT)
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }

    private String metrics() throws IOException, InterruptedException {
        return HTTP.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                                .timeout(SOON)
                                .build(),
                        BodyHandlers.ofString())
                .body();
    }

    /** What a command prints that asks the agent. */
    String command(String name) throws InterruptedException {
        Map<String, String> settings = new HashMap<>();
        settings.put("URUNNER_URL", "http://127.0.0.1:" + port);
        settings.put("URUNNER_SECR_HTTP_TOKEN", "token-of-the-commands");
        try (AgentProcess command = AgentProcess.start(folder.resolve(name), settings, name)) {
            command.exitCode();
            return command.log();
        }
    }

    private void logIsHarmless() {
        assertThat(agent.log().split("\n")).allSatisfy(line -> {
            assertThat(line).matches(LOG_LINE).hasSizeLessThan(LONGEST_LINE);
            assertHarmless(line);
        });
    }

    /** No control character, no line end, nothing that turns the direction of a text. */
    static void assertHarmless(String line) {
        Optional<String> nasty = line.codePoints()
                .filter(c -> switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR -> true;
                    default -> false;
                })
                .mapToObj(c -> String.format("U+%04X", c))
                .findFirst();
        assertThat(nasty)
                .as("what cannot be printed in: %.300s", line.replaceAll("\\p{C}", "?"))
                .isEmpty();
    }

    /** A reads of no other tenant, and no other tenant of A. */
    private void nothingCrosses() {
        attackers.values().forEach(b -> {
            assertThat(told(a)).as("what A reads").doesNotContain(b);
            assertThat(told(b)).as("what B reads").doesNotContain(a + "/Deployment");
        });
    }

    /** What the agent wrote where a tenant reads it. */
    String told(String namespace) {
        Stream<String> events = cluster.events(namespace).stream()
                .filter(event -> event.at("/source/component").asText().equals("urunner"))
                .map(event -> event.path("reason").asText() + " "
                        + event.path("message").asText());
        Stream<String> annotations = cluster.items("/apis/apps/v1/namespaces/" + namespace + "/deployments").stream()
                .flatMap(workload -> Stream.of(
                        workload.at("/metadata/annotations").path("urunner.io/state"),
                        workload.at("/spec/template/metadata/annotations").path("urunner.io/digests")))
                .map(annotation -> annotation.asText());
        return Stream.concat(events, annotations).collect(Collectors.joining("\n"));
    }

    @Override
    public void close() throws Exception {
        for (int i = parts.size() - 1; i >= 0; i--) {
            parts.get(i).close();
        }
    }
}
