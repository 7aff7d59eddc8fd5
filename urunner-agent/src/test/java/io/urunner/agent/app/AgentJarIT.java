package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.app.config.PluginJars;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The published jar, as a process of its own. */
@Tag("heavy")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AgentJarIT {
    private static final Path JAR = Path.of("target", "urunner-agent.jar").toAbsolutePath();

    @TempDir
    Path folder;

    private Process start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                "-jar",
                JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("URUNNER_") || name.startsWith("KUBE"));
        builder.environment().put("HOME", folder.toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private int run(Map<String, String> environment, String... arguments) throws Exception {
        return start(environment, arguments).waitFor();
    }

    private String out() throws IOException {
        return Files.readString(folder.resolve("out"));
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    @Test
    void itPrintsItsVersionAndItsCommands() throws Exception {
        assertThat(run(Map.of(), "--version")).isZero();
        assertThat(out()).matches("urunner \\d+\\.\\d+\\.\\d+\\S*\\R");
        assertThat(run(Map.of(), "--help")).isZero();
        assertThat(out()).contains("run", "once", "digest", "config");
        assertThat(err()).isEmpty();
    }

    @Test
    void itBringsTheFourPluginsAndTheBuiltInKinds() throws Exception {
        assertThat(run(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "nonsense"), "config"))
                .isEqualTo(2);
        assertThat(err()).contains("aws_ecr", "digitalocean", "dockerhub", "generic", "gitlab", "harbor");
    }

    @Test
    void aWrongConfigurationExitsWith2WithoutAStackTraceOrASecret() throws Exception {
        assertThat(run(
                        Map.of(
                                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "gitlab",
                                "URUNNER_SECR_GITLAB_TOKN", "glpat-0123456789",
                                "URUNNER_CONF_HTTP_PORT", "x"),
                        "run"))
                .isEqualTo(2);
        assertThat(err())
                .contains("did you mean URUNNER_SECR_GITLAB_TOKEN?", "URUNNER_CONF_HTTP_PORT", "3 problems")
                .doesNotContain("\tat ", "glpat-0123456789");
    }

    @Test
    void outsideAClusterItSaysWhatToSet() throws Exception {
        assertThat(run(Map.of("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic"), "once"))
                .isEqualTo(2);
        assertThat(err()).contains("URUNNER_CONF_KUBE_AUTH=kubeconfig").doesNotContain("\tat ");
    }

    /** Nobody listens on port 1 of this machine, neither an API server nor a registry. */
    private Map<String, String> whereNothingAnswers() throws IOException {
        Path kubeconfig = Files.writeString(folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
                users: [{name: none, user: {}}]
                contexts: [{name: none, context: {cluster: none, user: none}}]
                current-context: none
                """);
        return Map.of(
                "KUBECONFIG", kubeconfig.toString(),
                "URUNNER_CONF_KUBE_AUTH", "kubeconfig",
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "generic",
                "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH", "127.0.0.1:1",
                "URUNNER_CONF_HTTP_PORT", "0");
    }

    @Test
    void ifNothingAnswersTheCommandsSaySoAndExitWith1WithoutAStackTrace() throws Exception {
        for (String command : List.of(
                "once", "doctor", "history shop/deploy/web", "rollback shop/deploy/web", "digest 127.0.0.1:1/web")) {
            assertThat(run(whereNothingAnswers(), command.split(" ", -1)))
                    .as(command + ": " + out() + err())
                    .isEqualTo(1);
            assertThat(out() + err())
                    .as(command)
                    .contains("127.0.0.1:1")
                    .doesNotContain("\tat ", "defect", "unexpected");
        }
    }

    @Test
    void runExitsWith0Within5SecondsOfSigtermEvenIfNothingAnswers() throws Exception {
        Process agent = start(whereNothingAnswers(), "run");
        try {
            await(agent, "watch of");
            exitsWith0(agent);
            assertThat(out()).contains("shutting down", "stopped");
            assertThat(leftInTheTemporaryFolder()).isEmpty();
        } finally {
            agent.destroyForcibly();
        }
    }

    @Test
    void theDemonstrationRollsOutBothWorkloadsOnceAndExitsByItself() throws Exception {
        assertThat(run(Map.of(), "demo")).as(out() + err()).isZero();
        List<String> pushed = out().lines()
                .filter(line -> line.startsWith("registry "))
                .map(line -> line.substring(line.indexOf("sha256:")))
                .toList();
        assertThat(pushed).hasSize(2).doesNotHaveDuplicates();
        for (String workload : List.of("web", "worker")) {
            assertThat(out().lines().filter(line -> line.startsWith("pod ") && line.contains("demo/" + workload + "-")))
                    .satisfiesExactly(
                            first -> assertThat(first).endsWith("runs " + pushed.get(0)),
                            second -> assertThat(second).endsWith("runs " + pushed.get(1)));
            assertThat(out())
                    .contains("demo/Deployment/" + workload + ": rollout succeeded")
                    .contains("demo/" + workload + ": its template was changed once for 1 push");
        }
        assertThat(out()).doesNotContain("WARN", "ERROR");
        assertThat(err()).isEmpty();
        assertThat(leftInTheTemporaryFolder()).isEmpty();
    }

    @Test
    void theDemonstrationWithKeepRunsUntilItIsTerminated() throws Exception {
        Process demo = start(Map.of(), "demo", "--keep");
        try {
            await(demo, "the next push comes");
            exitsWith0(demo);
        } finally {
            demo.destroyForcibly();
        }
        assertThat(err()).isEmpty();
        assertThat(leftInTheTemporaryFolder()).isEmpty();
    }

    private void exitsWith0(Process process) throws Exception {
        process.destroy();
        assertThat(process.waitFor(5, TimeUnit.SECONDS)).as("exited in time").isTrue();
        assertThat(process.exitValue()).as(out() + err()).isZero();
    }

    private List<String> leftInTheTemporaryFolder() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("tmp"))) {
            return files.skip(1).map(Path::toString).toList();
        }
    }

    private void await(Process process, String text) throws Exception {
        while (!out().contains(text)) {
            assertThat(process.waitFor(50, TimeUnit.MILLISECONDS))
                    .as("it keeps running; output: " + out() + err())
                    .isFalse();
        }
    }

    @Test
    void outputOfAPluginStaysOutOfAnswersAndABrokenOneIsNamedWithoutAStackTrace() throws Exception {
        PluginJars.plugin(
                folder.resolve("acme.jar"),
                "AcmePlugin",
                Map.of(
                        "members",
                        "{ System.out.println(\"hello from acme\");"
                                + " new IllegalStateException(\"hello from acme\").printStackTrace(); }"));
        Files.writeString(folder.resolve("broken.jar"), "404 page not found");
        Map<String, String> environment = Map.of(
                "URUNNER_CONF_PLUGIN_DIR", folder.toString(),
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "acme",
                "URUNNER_SECR_ACME_USER", "ci",
                "URUNNER_SECR_ACME_PASS", "Tr0ub4dor-and-3");

        assertThat(run(environment, "config")).as(err()).isZero();
        assertThat(out()).contains("acme").doesNotContain("hello from acme");
        assertThat(err())
                .contains("warning: the plugin jar " + folder.resolve("broken.jar"))
                .doesNotContain("\tat ", "hello from acme");

        Map<String, String> other = new HashMap<>(environment);
        other.put("URUNNER_CONF_CONTAINER_REGISTRY_TYPE", "broken");
        assertThat(run(other, "run")).isEqualTo(2);
        assertThat(err())
                .contains(
                        "'broken' is not a known type",
                        folder.resolve("broken.jar").toString())
                .doesNotContain("\tat ", "Tr0ub4dor");
    }

    @Test
    void theJarHoldsNoSignatureNoModuleAndNoSecondCopy() throws IOException {
        try (JarFile jar = new JarFile(JAR.toFile())) {
            List<String> names = jar.stream().map(JarEntry::getName).toList();
            assertThat(names)
                    .doesNotHaveDuplicates()
                    .noneMatch(name -> name.matches("META-INF/[^/]*\\.(SF|DSA|RSA)"))
                    .noneMatch(name -> name.endsWith("module-info.class"));
            assertThat(services(jar, "META-INF/services/io.urunner.registry.auth.CredentialPlugin"))
                    .hasSizeGreaterThanOrEqualTo(6)
                    .doesNotHaveDuplicates();
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("io.urunner.agent.app.Main");
        }
        assertThat(Files.size(JAR)).as("bytes").isLessThan(50_000_000);
    }

    @Test
    void theJarForEmbeddersHasOnlyTheAgentAndDoesNotChangeTheLogOfItsHost() throws IOException {
        String version;
        try (JarFile jar = new JarFile(JAR.toFile())) {
            version = jar.getManifest().getMainAttributes().getValue("Implementation-Version");
            assertThat(services(jar, "META-INF/services/ch.qos.logback.classic.spi.Configurator"))
                    .hasSize(1);
        }
        try (JarFile jar = new JarFile(
                JAR.resolveSibling("urunner-agent-" + version + ".jar").toFile())) {
            assertThat(jar.stream().map(JarEntry::getName).filter(name -> !name.endsWith("/")))
                    .contains("module-info.class", "io/urunner/agent/Agent.class", "io/urunner/agent/app/Main.class")
                    .allMatch(name -> name.startsWith("io/urunner/agent/")
                            || name.startsWith("META-INF/services/io.urunner.")
                            || name.startsWith("META-INF/maven/io.urunner/urunner-agent/")
                            || name.equals("META-INF/MANIFEST.MF")
                            || name.equals("module-info.class"));
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isNull();
        }
    }

    @Test
    void theSbomOfTheJarListsWhatTheJarWasBuiltFrom() throws Exception {
        JsonNode bom;
        Set<String> names;
        try (JarFile jar = new JarFile(JAR.toFile())) {
            String place = jar.getManifest().getMainAttributes().getValue("Sbom-Location");
            bom = new ObjectMapper().readTree(jar.getInputStream(jar.getEntry(place)));
            names = jar.stream().map(JarEntry::getName).collect(Collectors.toSet());
        }
        assertThat(names)
                .as("the names that scanners use")
                .contains(
                        "META-INF/maven/io.urunner/urunner-agent/pom.properties",
                        "META-INF/maven/com.fasterxml.jackson.core/jackson-databind/pom.properties");
        Map<String, String> listed = new HashMap<>();
        for (JsonNode component : bom.path("components")) {
            assertThat(component.path("purl").asText()).startsWith("pkg:maven/");
            if (!component.path("group").asText().equals("io.urunner")) {
                listed.put(
                        component.path("name").asText() + "-"
                                + component.path("version").asText() + ".jar",
                        component.path("hashes").path(0).path("content").asText());
            }
        }
        Map<String, String> used = new HashMap<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            String name = path.getFileName().toString();
            if (name.endsWith(".jar") && (listed.containsKey(name) || isWithin(path, names))) {
                used.put(name, sha256(path));
            }
        }
        assertThat(used).as("the list is up to date; .ci/lock regenerates it").isEqualTo(listed);
    }

    /** Whether our jar contains a jar's first class, and it is not one of the project's own. */
    private static boolean isWithin(Path jar, Set<String> names) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.endsWith(".class") && !name.endsWith("module-info.class"))
                    .findFirst()
                    .filter(name -> !name.startsWith("io/urunner/") && names.contains(name))
                    .isPresent();
        }
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private static List<String> services(JarFile jar, String name) throws IOException {
        try (InputStream content = jar.getInputStream(jar.getEntry(name));
                Stream<String> lines =
                        new String(content.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).lines()) {
            return lines.filter(line -> !line.isBlank()).collect(Collectors.toList());
        }
    }
}
