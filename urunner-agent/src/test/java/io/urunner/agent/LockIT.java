package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.testing.Requirement;
import io.urunner.registry.testing.Program;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The lock of the build's artifacts: another file under the same name makes the build fail, whether it is in the local
 * repository or comes from a mirror. The build in this test imports Jackson's BOM.
 */
@Tag("heavy")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LockIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String LOCK = ".mvn/checksums.sha256";
    private static final String BOM = "com/fasterxml/jackson/jackson-bom/";

    enum From {
        LOCAL_REPOSITORY,
        MIRROR
    }

    @TempDir
    private Path folder;

    private final Map<String, byte[]> artifacts = new TreeMap<>();
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private HttpServer mirror;
    private String bom;

    @BeforeEach
    void theArtifactsAndAMirrorThatHasThem() throws Exception {
        if (property("maven.version").matches("3\\.(8\\..*|9\\.[0-3])")) {
            throw Requirement.missing("Maven before 3.9.4 does not verify downloads: run ./mvnw without it");
        }
        Path repository = Path.of(property("maven.repository"));
        for (String line : Files.readAllLines(ROOT.resolve(LOCK))) {
            String path = line.split(" +", 2)[1];
            Path file = repository.resolve(path);
            if (path.startsWith("com/fasterxml/") && path.endsWith(".pom") && Files.exists(file)) {
                artifacts.put(path, Files.readAllBytes(file));
            }
        }
        String version = Files.readString(ROOT.resolve("pom.xml"))
                .replaceFirst("(?s).*<jackson.version>(.*?)</jackson.version>.*", "$1");
        bom = BOM + version + "/jackson-bom-" + version + ".pom";
        assertThat(artifacts).as("the lock names Jackson's BOM").containsKey(bom);
        for (String name : List.of("mvnw", ".mvn/maven.config", LOCK, ".mvn/wrapper/maven-wrapper.properties")) {
            write(name, Files.readAllBytes(ROOT.resolve(name)));
        }
        write("pom.xml", """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>io.urunner.test</groupId>
                  <artifactId>locked</artifactId>
                  <version>1-SNAPSHOT</version>
                  <packaging>pom</packaging>
                  <dependencyManagement><dependencies><dependency>
                    <groupId>com.fasterxml.jackson</groupId>
                    <artifactId>jackson-bom</artifactId>
                    <version>%s</version>
                    <type>pom</type>
                    <scope>import</scope>
                  </dependency></dependencies></dependencyManagement>
                </project>
                """.formatted(version));
        mirror = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        mirror.createContext("/", this::serve);
        mirror.start();
    }

    @AfterEach
    void stop() {
        if (mirror != null) {
            mirror.stop(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theSameFileIsAccepted(From from) throws Exception {
        assertThat(build(from)).contains("BUILD SUCCESS");
        assertThat(asked.contains(bom)).isEqualTo(from == From.MIRROR);
    }

    @ParameterizedTest
    @CsvSource({"LOCAL_REPOSITORY, 1.1-SNAPSHOT", "MIRROR, 1.1-SNAPSHOT", "LOCAL_REPOSITORY, 1.0.0", "MIRROR, 1.0.0"})
    void anotherFileUnderTheSameNameFailsTheBuildEvenIfItsOwnChecksumMatches(From from, String version)
            throws Exception {
        change("pom.xml", "version>1-SNAPSHOT", "version>" + version);
        change(bom);

        assertThat(build(from)).contains("jackson-bom").doesNotContain("BUILD SUCCESS");
        assertThat(asked.contains(bom)).isEqualTo(from == From.MIRROR);
        if (from == From.MIRROR) {
            assertThat(folder.resolve("repository").resolve(bom)).doesNotExist();
        }
    }

    @ParameterizedTest
    @EnumSource
    void onlyTheLockDetectsTheOtherFile(From from) throws Exception {
        change(bom);
        write(LOCK, new byte[0]);

        assertThat(build(from)).contains("BUILD SUCCESS");
    }

    @ParameterizedTest
    @EnumSource
    void artifactsMissingInTheLockAreRefusedIfTheGateAsksForIt(From from) throws Exception {
        change(LOCK, "[^\\n]* " + bom + "\n", "");

        assertThat(build(from, "-Daether.artifactResolver.postProcessor.trustedChecksums.failIfMissing=true"))
                .contains("jackson-bom")
                .doesNotContain("BUILD SUCCESS");
        assertThat(Files.readString(ROOT.resolve(".ci/run"))).contains("trustedChecksums.failIfMissing=true");
    }

    @Test
    void withoutADigestOfTheBaseImageNothingIsPulled() throws Exception {
        String image = "127.0.0.1:" + mirror.getAddress().getPort() + "/jdk";
        String digest = "sha256:" + "0123456789abcdef".repeat(4);

        assertThat(dockerBuild("JDK=" + image + ":25")).contains("invalid reference format");
        assertThat(dockerBuild("JDK=" + image + ":25", "DIGEST=25")).contains("invalid reference format");
        assertThat(dockerBuild("JDK=" + image + "@" + digest)).contains("invalid reference format");
        assertThat(asked).isEmpty();

        artifacts.put("v2/", new byte[0]);
        dockerBuild("JDK=" + image + ":25", "DIGEST=" + digest);
        assertThat(asked).contains("v2/jdk/manifests/" + digest);
    }

    @Test
    void everyLibraryOfTheJarIsLocked() throws Exception {
        String locked = Files.readString(ROOT.resolve(LOCK));
        String list = Files.readString(Path.of("src/main/resources/META-INF/sbom/urunner-agent.cdx.json"));
        try (Stream<String> hashes = list.lines().filter(line -> line.contains("\"content\" :"))) {
            assertThat(hashes.map(line -> line.replaceFirst(".*\"content\" : \"([0-9a-f]{64})\".*", "$1")))
                    .hasSizeGreaterThan(50)
                    .allSatisfy(hash -> assertThat(locked).contains(hash));
        }
    }

    /** The output of a build whose artifacts all come from one place only. */
    private String build(From from, String... properties) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "./mvnw", "-B", "validate"));
        if (from == From.MIRROR) {
            write("settings.xml", """
                    <settings><mirrors><mirror>
                      <id>mirror</id>
                      <mirrorOf>*</mirrorOf>
                      <url>http://127.0.0.1:%d</url>
                    </mirror></mirrors></settings>
                    """.formatted(mirror.getAddress().getPort()));
            command.addAll(List.of("-s", "settings.xml"));
        } else {
            command.add("-o");
            for (Map.Entry<String, byte[]> artifact : artifacts.entrySet()) {
                write("repository/" + artifact.getKey(), artifact.getValue());
                write("repository/" + artifact.getKey() + ".sha1", sha1(artifact.getValue()));
            }
        }
        return run(command, environment -> {
            environment.put(
                    "MAVEN_OPTS",
                    "-Dmaven.repo.local=" + folder.resolve("repository") + " " + String.join(" ", properties));
            environment.remove("MAVEN_ARGS");
            // The Maven that runs this build.
            environment.merge("PATH", property("maven.home") + "/bin", (path, bin) -> bin + File.pathSeparator + path);
        });
    }

    private String dockerBuild(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Program.require("podman", "Debian's package podman").toString(),
                "--root",
                folder.resolve("store").toString(),
                "--runroot",
                folder.resolve("run").toString(),
                "--storage-driver",
                "vfs",
                "build",
                "--tls-verify=false",
                "--file",
                ROOT.resolve("Dockerfile").toString()));
        for (String argument : arguments) {
            command.addAll(List.of("--build-arg", argument));
        }
        command.add(Files.createDirectories(folder.resolve("nothing")).toString());
        return run(command, environment -> {});
    }

    private String run(List<String> command, Consumer<Map<String, String>> environment) throws Exception {
        Path log = folder.resolve("log");
        ProcessBuilder process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        environment.accept(process.environment());
        process.start().waitFor();
        return Files.readString(log, StandardCharsets.UTF_8);
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath().substring(1);
            asked.add(path);
            byte[] found = artifacts.get(path);
            if (found == null && path.endsWith(".sha1")) {
                byte[] artifact = artifacts.get(path.substring(0, path.length() - ".sha1".length()));
                found = artifact == null ? null : sha1(artifact);
            }
            if (found == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                exchange.sendResponseHeaders(200, found.length);
                exchange.getResponseBody().write(found);
            }
        }
    }

    private static byte[] sha1(byte[] content) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-1").digest(content))
                    .getBytes(StandardCharsets.US_ASCII);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Another file under the same name, with the same meaning. */
    private void change(String artifact) {
        String other = new String(artifacts.get(artifact), StandardCharsets.UTF_8) + "<!-- not the same -->\n";
        artifacts.put(artifact, other.getBytes(StandardCharsets.UTF_8));
    }

    private void change(String name, String pattern, String replacement) throws IOException {
        String before = Files.readString(folder.resolve(name));
        String after = before.replaceFirst(pattern, replacement);
        assertThat(after).isNotEqualTo(before);
        write(name, after);
    }

    private void write(String name, String content) throws IOException {
        write(name, content.getBytes(StandardCharsets.UTF_8));
    }

    private void write(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    /** A value that this module's POM passes on. */
    private static String property(String name) {
        String value = System.getProperty("urunner." + name);
        if (value == null || value.isEmpty()) {
            throw Requirement.missing("only Maven knows where Maven and its repository are");
        }
        return value;
    }
}
