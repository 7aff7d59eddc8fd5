package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The hashes of what the build is made of: another file under the same name makes it fail. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LockIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String BOM = "com/fasterxml/jackson/jackson-bom/";

    @TempDir
    private Path folder;

    private Path bom;
    private String version;

    @BeforeEach
    void aProjectThatTakesOneArtifact() throws Exception {
        List<String> locked = Files.readAllLines(ROOT.resolve(".mvn/checksums.sha256"));
        Path repository = folder.resolve("repository");
        for (String line : locked) {
            String path = line.split(" +", 2)[1];
            Path from = Path.of(System.getProperty("urunner.maven.repository"), path);
            if (path.startsWith("com/fasterxml/") && path.endsWith(".pom") && Files.exists(from)) {
                Path to = repository.resolve(path);
                Files.createDirectories(to.getParent());
                Files.copy(from, to);
                if (path.startsWith(BOM)) {
                    bom = to;
                    version = path.substring(BOM.length(), path.indexOf('/', BOM.length()));
                }
            }
        }
        assertThat(bom).as("the lock names Jackson's list of versions").isNotNull();
        Files.writeString(folder.resolve("pom.xml"), """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>io.urunner.test</groupId>
                  <artifactId>locked</artifactId>
                  <version>1</version>
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
        for (String name : List.of(
                "mvnw", ".mvn/maven.config", ".mvn/checksums.sha256", ".mvn/wrapper/maven-wrapper.properties")) {
            Path to = folder.resolve(name);
            Files.createDirectories(to.getParent());
            Files.copy(ROOT.resolve(name), to);
        }
    }

    @Test
    void theSameFileIsTaken() throws Exception {
        assertThat(build()).contains("BUILD SUCCESS");
    }

    @Test
    void anotherFileUnderTheSameNameFailsTheBuildThoughItsOwnChecksumFits() throws Exception {
        Files.writeString(bom, "<!-- not the same -->\n", StandardOpenOption.APPEND);
        byte[] sha1 = MessageDigest.getInstance("SHA-1").digest(Files.readAllBytes(bom));
        Files.writeString(
                bom.resolveSibling(bom.getFileName() + ".sha1"), HexFormat.of().formatHex(sha1));

        assertThat(build()).contains("jackson-bom").doesNotContain("BUILD SUCCESS");
    }

    @Test
    void everyLibraryOfTheJarIsLocked() throws Exception {
        String locked = Files.readString(ROOT.resolve(".mvn/checksums.sha256"));
        String list = Files.readString(Path.of("src/main/resources/META-INF/sbom/urunner-agent.cdx.json"));
        try (Stream<String> hashes = list.lines().filter(line -> line.contains("\"content\" :"))) {
            assertThat(hashes.map(line -> line.replaceFirst(".*\"content\" : \"([0-9a-f]{64})\".*", "$1")))
                    .hasSizeGreaterThan(50)
                    .allSatisfy(hash -> assertThat(locked).contains(hash));
        }
    }

    private String build() throws Exception {
        Path log = folder.resolve("log");
        ProcessBuilder maven = new ProcessBuilder("sh", "./mvnw", "-B", "-o", "validate")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        maven.environment().put("MAVEN_OPTS", "-Dmaven.repo.local=" + folder.resolve("repository"));
        maven.environment().remove("MAVEN_ARGS");
        maven.start().waitFor();
        return Files.readString(log, StandardCharsets.UTF_8);
    }
}
