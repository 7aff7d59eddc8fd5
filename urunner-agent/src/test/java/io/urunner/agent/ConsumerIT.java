package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Requirement;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Other people's projects, built outside ours with the published artifacts: the README's examples with exactly the
 * dependencies that it names for each, and a host ({@code src/test/host}) with its own versions of our libraries and
 * its own log.
 */
@Tag("heavy")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ConsumerIT {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Path HOST = Path.of("src", "test", "host").toAbsolutePath();
    private static final Pattern BLOCK = Pattern.compile("```(java|xml)\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("\\bclass (\\w+)");
    /** What the host depends on, directly or not. */
    private static final List<String> HOSTED =
            List.of("registry-v2-client", "registry-auth-gitlab", "digest-store", "kube-restarter", "urunner-agent");

    /** What a user of one artifact alone writes: an expression that needs its dependencies. */
    private static final Map<String, String> PUBLISHED = new TreeMap<>(Map.of(
            "registry-v2-client",
            registry("CredentialPlugins.discover().types().contains(\"generic\")"),
            "registry-auth-gitlab",
            registry("CredentialPlugins.discover().types().contains(\"gitlab\")"),
            "registry-auth-harbor",
            registry("CredentialPlugins.discover().types().contains(\"harbor\")"),
            "registry-auth-ecr",
            registry("CredentialPlugins.discover().types().contains(\"aws_ecr\")"),
            "registry-auth-do",
            registry("CredentialPlugins.discover().types().contains(\"digitalocean\")"),
            "digest-store",
            """
                    try (io.urunner.store.DigestStore store = io.urunner.store.DigestStores.sqlite(
                            java.nio.file.Files.createTempDirectory("alone").resolve("history"), "production")) {
                        good = store.digests("nothing", 1).isEmpty();
                    }
                    """,
            "kube-restarter",
            """
                    io.urunner.kube.KubeConfiguration cluster = io.urunner.kube.KubeConfiguration.kubeconfig(
                            java.nio.file.Path.of(arguments[0]));
                    java.util.concurrent.ScheduledExecutorService threads =
                            java.util.concurrent.Executors.newScheduledThreadPool(1);
                    try (io.urunner.kube.KubeConnection connection =
                            new io.urunner.kube.KubeConnection(cluster, threads)) {
                        good = true;
                    } finally {
                        threads.shutdownNow();
                    }
                    """,
            "urunner-agent",
            """
                    good = io.urunner.agent.Agent.builder(io.urunner.kube.KubeConfiguration.kubeconfig(
                            java.nio.file.Path.of(arguments[0]))) != null;
                    """));

    /** The Kubernetes client, which reads kubeconfigs, uses an internal class of OkHttp. */
    private static final List<String> OPEN = List.of(
            "--add-exports=okhttp3/okhttp3.internal.http=io.kubernetes.client.java.api",
            "--add-exports=okhttp3/okhttp3.internal.tls=io.kubernetes.client.java.api");

    /** So that a jar tells what runs with it. */
    private static final String CLASS_PATH = """
            <plugin>
              <artifactId>maven-jar-plugin</artifactId>
              <configuration><archive><manifest>
                <addClasspath>true</addClasspath>
                <classpathLayoutType>repository</classpathLayoutType>
              </manifest></archive></configuration>
            </plugin>
            """;

    @TempDir
    static Path folder;

    private static Path project;
    private static String printed;

    @BeforeAll
    static void build() throws Exception {
        Path maven = Path.of(property("maven.home"), "bin", "mvn");
        install();
        project = Files.createDirectory(folder.resolve("project"));
        write();

        List<String> command = new ArrayList<>(List.of(maven.toString(), "-B", "-f", project.toString(), "package"));
        command.add("-Dmaven.repo.local=" + repository());
        command.add("-Dmaven.repo.local.tail=" + property("maven.repository"));
        if (property("maven.offline").equals("offline=true")) {
            command.add("-o");
        }
        File log = folder.resolve("log").toFile();
        Process build = new ProcessBuilder(command)
                .directory(project.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start();
        boolean good = build.waitFor() == 0;
        printed = Files.readString(log.toPath(), StandardCharsets.UTF_8);
        if (!good && (printed.contains("in offline mode") || printed.contains("Could not transfer artifact"))) {
            throw Requirement.missing("the dependencies of the README's examples cannot be downloaded");
        }
        assertThat(good).as(printed).isTrue();
    }

    @Test
    void theExamplesInTheReadmeBuildAndPassWithTheDependenciesThatItNames() {
        assertThat(printed).containsPattern("Tests run: \\d\\d, Failures: 0, Errors: 0, Skipped: 0");
    }

    @Test
    void aHostGetsNoDuplicateClassesAndNothingThatOnlyTheProgramNeeds() throws IOException {
        Map<String, Path> found = new HashMap<>();
        List<String> twice = new ArrayList<>();
        for (Path jar : libraries()) {
            try (JarFile file = new JarFile(jar.toFile())) {
                file.stream()
                        .map(JarEntry::getName)
                        .filter(name -> name.endsWith(".class"))
                        .filter(name -> !name.startsWith("META-INF/") && !name.endsWith("module-info.class"))
                        .filter(name -> found.putIfAbsent(name, jar) != null)
                        .forEach(name -> twice.add(name + " in " + found.get(name) + " and " + jar));
            }
        }
        assertThat(found).containsKeys("io/urunner/registry/RegistryClient.class", "org/example/host/Host.class");
        assertThat(twice).isEmpty();
        assertThat(found.keySet())
                .noneMatch(name -> name.startsWith("picocli/")
                        || name.startsWith("io/prometheus/")
                        || name.startsWith("org/snakeyaml/engine/")
                        || name.startsWith("software/amazon/"));
        String ours = "-" + version() + ".jar";
        assertThat(libraries().stream()
                        .map(jar -> jar.getFileName().toString())
                        .filter(name -> name.endsWith(ours))
                        .map(name -> name.replace(ours, "")))
                .containsExactlyInAnyOrderElementsOf(HOSTED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"on the class path", "a module"})
    void aHostKeepsItsLibrariesAndItsLog(String way) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m"));
        String libraries = libraries().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        command.addAll(
                way.equals("a module")
                        ? List.of(
                                "-p",
                                libraries,
                                OPEN.get(0),
                                OPEN.get(1),
                                "-m",
                                "org.example.host/org.example.host.Host")
                        : List.of("-cp", libraries, "org.example.host.Host"));
        String digest = "sha256:" + "4b".repeat(32);
        Path said = folder.resolve(way);
        Path history = folder.resolve(way + ".db");
        try (MockWebServer registry = new MockWebServer();
                MockWebServer apiServer = new MockWebServer()) {
            apiServer.setDispatcher(new Dispatcher() {
                @Override
                public MockResponse dispatch(RecordedRequest request) {
                    return String.valueOf(request.getPath()).contains("watch=")
                            ? new MockResponse().setSocketPolicy(SocketPolicy.NO_RESPONSE)
                            : new MockResponse()
                                    .addHeader("Content-Type", "application/json")
                                    .setBody("{\"items\": [], \"metadata\": {\"resourceVersion\": \"1\"}}");
                }
            });
            apiServer.start(InetAddress.getLoopbackAddress(), 0);
            registry.setDispatcher(new Dispatcher() {
                @Override
                public MockResponse dispatch(RecordedRequest request) {
                    return new MockResponse()
                            .addHeader("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                            .addHeader("Docker-Content-Digest", digest)
                            .addHeader("Warning", "299 - \"closed on Friday\"");
                }
            });
            registry.start(InetAddress.getLoopbackAddress(), 0);
            String name = "127.0.0.1:" + registry.getPort();
            command.add("{\"image\": \"" + name + "/shop/web:latest\"}");
            command.add(kubeconfig(apiServer.getPort()).toString());
            command.add(history.toString());
            int code = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start()
                    .waitFor();
            assertThat(code).as(Files.readString(said)).isZero();

            assertThat(Files.readAllLines(said))
                    .as("output of the host: every line in the format of its own logback.xml")
                    .containsExactly(
                            "HOST|INFO|org.example.host.Host|runs with Jackson 2.22.4 and OkHttp 5.4.0",
                            "HOST|INFO|org.example.host.Host|is " + way,
                            "HOST|INFO|org.example.host.Host|finds the plugins [acr, dockerhub, generic, ghcr, gitlab, google]",
                            "HOST|WARN|io.urunner.registry.Transport|" + name + " warns: closed on Friday",
                            "HOST|INFO|io.urunner.store.Migrations|SQLite database " + history
                                    + ": applied 001-history.sql",
                            "HOST|INFO|org.example.host.Host|remembers " + digest,
                            "HOST|INFO|io.urunner.agent.workloads.Visibility|synced with the cluster: 0 workloads in 0 namespaces",
                            "HOST|WARN|io.urunner.agent.Agent|namespaces: no namespace in scope has the label"
                                    + " urunner=enable, so nothing is watched: kubectl label --overwrite namespace NAME"
                                    + " urunner=enable",
                            "HOST|WARN|io.urunner.agent.Agent|use of registry " + name
                                    + ": no watched workload uses an image"
                                    + " from it, so it is not asked: compare the host in the settings with the images, and"
                                    + " check that their namespaces are labelled",
                            "HOST|INFO|org.example.host.Host|has an agent that tracks 0 workloads");
        }
    }

    @ParameterizedTest
    @MethodSource("published")
    void whoeverUsesOneArtifactGetsTheVersionsThatOurTestsRun(String artifact) throws IOException {
        Set<String> tested = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(path -> Path.of(path).getFileName().toString())
                .filter(name -> name.endsWith(".jar"))
                .collect(Collectors.toSet());
        String ours = "-" + version() + ".jar";
        assertThat(libraries(alone(artifact)).stream()
                        .skip(1)
                        .map(jar -> jar.getFileName().toString())
                        .filter(name -> !name.endsWith(ours)))
                .isNotEmpty()
                .isSubsetOf(tested);
    }

    @ParameterizedTest
    @MethodSource("published")
    void aModuleThatRequiresOneArtifactAloneRuns(String artifact) throws Exception {
        String libraries =
                libraries(alone(artifact)).stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        Path said = folder.resolve("alone-" + artifact + ".log");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m"));
        if (libraries.contains("client-java")) {
            command.addAll(OPEN);
        }
        command.addAll(List.of("-p", libraries, "-m", "org.example.alone/org.example.alone.Alone"));
        command.add(kubeconfig(1).toString());
        int code = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start()
                .waitFor();
        assertThat(Files.readString(said)).contains("runs as module org.example.alone");
        assertThat(code).isZero();
    }

    static Set<String> published() {
        return PUBLISHED.keySet();
    }

    private static String registry(String expression) {
        return """
                io.urunner.registry.ImageReference image =
                        io.urunner.registry.ImageReference.parse("127.0.0.1:1/shop/web:latest");
                try (io.urunner.registry.RegistryClient client =
                        io.urunner.registry.RegistryClient.builder().sleeper(duration -> {}).build()) {
                    client.resolve(image);
                } catch (io.urunner.registry.UnavailableException e) {
                    good = io.urunner.registry.auth.%s;
                }
                """.formatted(expression);
    }

    private static Path alone(String artifact) {
        return project.resolve("alone-" + artifact + "/target/alone-" + artifact + "-1.jar");
    }

    private static Path kubeconfig(int port) throws IOException {
        return Files.writeString(folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: one, cluster: {server: "http://127.0.0.1:%d"}}]
                users: [{name: one, user: {token: token-of-the-host}}]
                contexts: [{name: one, context: {cluster: one, user: one}}]
                current-context: one
                """.formatted(port));
    }

    /** The host's class path: its own jar, and the dependencies that Maven resolved. */
    private static List<Path> libraries() throws IOException {
        return libraries(project.resolve("host/target/host-1.jar"));
    }

    private static List<Path> libraries(Path user) throws IOException {
        List<Path> libraries = new ArrayList<>(List.of(user));
        try (JarFile jar = new JarFile(user.toFile())) {
            String names = jar.getManifest().getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
            for (String name : names.split(" ", -1)) {
                Path ours = repository().resolve(name);
                libraries.add(Files.exists(ours) ? ours : Path.of(property("maven.repository"), name));
            }
        }
        return libraries;
    }

    /** A value that this module's POM passes on. */
    private static String property(String name) {
        String value = System.getProperty("urunner." + name);
        if (value == null || value.isEmpty()) {
            throw Requirement.missing("only Maven knows where Maven and its repository are");
        }
        return value;
    }

    /** Placed before this machine's own repository, with the artifacts of this build. */
    private static Path repository() {
        return folder.resolve("repository");
    }

    private static void install() throws IOException {
        install("urunner-parent", ROOT.resolve("pom.xml"), ".pom");
        for (String artifact : PUBLISHED.keySet()) {
            install(artifact, ROOT.resolve(artifact).resolve("pom.xml"), ".pom");
            for (String kind : List.of(".jar", "-tests.jar")) {
                Path jar = ROOT.resolve(artifact).resolve("target").resolve(artifact + "-" + version() + kind);
                if (kind.equals(".jar") || Files.exists(jar)) {
                    install(artifact, jar, kind);
                }
            }
        }
    }

    private static void install(String artifact, Path file, String suffix) throws IOException {
        if (Files.notExists(file)) {
            throw Requirement.missing("there is no " + file.getFileName() + ": the whole build makes it");
        }
        Path to = Files.createDirectories(
                repository().resolve("io/urunner").resolve(artifact).resolve(version()));
        Files.copy(file, to.resolve(artifact + "-" + version() + suffix));
    }

    private static String version() throws IOException {
        return first(Files.readString(ROOT.resolve("pom.xml")), "<version>([^<$]+)</version>");
    }

    /**
     * A project with a module for each block of dependencies and the code up to the next one. Test dependencies belong
     * to the module before.
     */
    private static void write() throws IOException {
        String readme = Files.readString(ROOT.resolve("README.md"));
        List<String> modules = new ArrayList<>();
        StringBuilder dependencies = new StringBuilder();
        for (MatchResult block : BLOCK.matcher(readme).results().toList()) {
            if (block.group(1).equals("java")) {
                assertThat(modules)
                        .as("dependencies come before the code that needs them")
                        .isNotEmpty();
                write(project.resolve(modules.get(modules.size() - 1)), block.group(2));
                continue;
            }
            if (!block.group(2).contains("<scope>test</scope>")) {
                modules.add("example" + modules.size());
                dependencies.setLength(0);
            }
            dependencies.append(block.group(2));
            String name = modules.get(modules.size() - 1);
            Files.writeString(Files.createDirectories(project.resolve(name)).resolve("pom.xml"), """
                    <project>
                      <modelVersion>4.0.0</modelVersion>
                      <parent><groupId>org.example</groupId><artifactId>examples</artifactId><version>1</version></parent>
                      <artifactId>%s</artifactId>
                      <dependencies>%s</dependencies>
                    </project>
                    """.formatted(
                            name, dependencies));
        }
        assertThat(modules).as("the examples in the README").hasSize(5);
        copy(HOST, project.resolve("host"));
        modules.add("host");
        for (Map.Entry<String, String> use : PUBLISHED.entrySet()) {
            modules.add(writeAlone(use.getKey(), use.getValue()));
        }
        String ours = Files.readString(ROOT.resolve("pom.xml"));
        StringBuilder plugins = new StringBuilder();
        for (String plugin : List.of(
                "maven-resources-plugin", "maven-compiler-plugin", "maven-surefire-plugin", "maven-jar-plugin")) {
            String version = first(ours, "<artifactId>" + plugin + "</artifactId>\\s*<version>([^<]+)</version>");
            plugins.append(
                    "<plugin><artifactId>%s</artifactId><version>%s</version></plugin>".formatted(plugin, version));
        }
        Files.writeString(project.resolve("pom.xml"), """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>org.example</groupId>
                  <artifactId>examples</artifactId>
                  <version>1</version>
                  <packaging>pom</packaging>
                  <modules>%s</modules>
                  <properties>
                    <maven.compiler.release>17</maven.compiler.release>
                    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
                    <urunner.version>%s</urunner.version>
                    <logback.version>%s</logback.version>
                  </properties>
                  <build><pluginManagement><plugins>%s</plugins></pluginManagement></build>
                </project>
                """.formatted(
                String.join(
                        "",
                        modules.stream().map("<module>%s</module>"::formatted).toList()),
                version(),
                first(ours, "<logback.version>([^<]+)</logback.version>"),
                plugins));
    }

    /** A module that requires one artifact and nothing else. */
    private static String writeAlone(String artifact, String body) throws IOException {
        String name = "alone-" + artifact;
        Path sources = Files.createDirectories(project.resolve(name).resolve("src/main/java/org/example/alone"));
        String module = first(
                Files.readString(ROOT.resolve(artifact).resolve("src/main/java/module-info.java")),
                "module ([\\w.]+) \\{");
        Files.writeString(
                project.resolve(name).resolve("src/main/java/module-info.java"),
                "module org.example.alone {\n    requires " + module + ";\n}\n");
        Files.writeString(sources.resolve("Alone.java"), """
                package org.example.alone;

                public class Alone {
                    public static void main(String[] arguments) throws Exception {
                        boolean good = false;
                        %s
                        System.out.println((good ? "runs as " : "fails as ") + Alone.class.getModule());
                    }
                }
                """.formatted(body));
        Files.writeString(
                project.resolve(name).resolve("pom.xml"), """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <parent><groupId>org.example</groupId><artifactId>examples</artifactId><version>1</version></parent>
                  <artifactId>%s</artifactId>
                  <dependencies><dependency>
                    <groupId>io.urunner</groupId><artifactId>%s</artifactId><version>%s</version>
                  </dependency></dependencies>
                  <build><plugins>%s</plugins></build>
                </project>
                """.formatted(name, artifact, version(), CLASS_PATH));
        return name;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static void write(Path module, String source) throws IOException {
        String name = first(source, CLASS.pattern());
        Path sources = module.resolve(name.endsWith("Test") ? "src/test/java" : "src/main/java");
        Files.writeString(Files.createDirectories(sources).resolve(name + ".java"), source);
        if (source.contains("implements CredentialPlugin<")) {
            Path services = Files.createDirectories(module.resolve("src/main/resources/META-INF/services"));
            Files.writeString(services.resolve("io.urunner.registry.auth.CredentialPlugin"), name + "\n");
        }
    }

    private static String first(String text, String pattern) {
        Matcher found = Pattern.compile(pattern).matcher(text);
        assertThat(found.find()).as("%s in %s", pattern, text).isTrue();
        return found.group(1);
    }
}
