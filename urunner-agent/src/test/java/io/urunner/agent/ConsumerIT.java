package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Requirement;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Projects of somebody else, made of the README's examples and just the dependencies that it names for each. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ConsumerIT {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Pattern BLOCK = Pattern.compile("```(java|xml)\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("\\bclass (\\w+)");
    private static final List<String> PUBLISHED = List.of("registry-v2-client", "digest-store", "kube-restarter");

    @TempDir
    Path folder;

    @Test
    void whatTheReadmeShowsIsBuiltAndTestedWithTheDependenciesThatItNames() throws Exception {
        Path maven = Path.of(property("maven.home"), "bin", "mvn");
        Path repository = install(Path.of(property("maven.repository")));
        Path project = Files.createDirectory(folder.resolve("project"));
        List<String> modules = write(project);
        assertThat(modules).hasSize(4);

        List<String> command = new ArrayList<>(
                List.of(maven.toString(), "-B", "-f", project.toString(), "-Dmaven.repo.local=" + repository, "test"));
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
        String printed = Files.readString(log.toPath(), StandardCharsets.UTF_8);
        if (!good && (printed.contains("in offline mode") || printed.contains("Could not transfer"))) {
            throw Requirement.missing("what the README's examples depend on cannot be fetched");
        }
        assertThat(good).as(printed).isTrue();
        assertThat(printed).containsPattern("Tests run: \\d\\d, Failures: 0, Errors: 0, Skipped: 0");
    }

    /** What the pom of this module passes on. */
    private static String property(String name) {
        String value = System.getProperty("urunner." + name);
        if (value == null || value.isEmpty()) {
            throw Requirement.missing("nobody but Maven knows where Maven and its repository are");
        }
        return value;
    }

    /** A local repository with all that this machine's has, but with what this build made as our artifacts. */
    private Path install(Path others) throws IOException {
        Path repository = Files.createDirectory(folder.resolve("repository"));
        linkAllBut("io", others, repository);
        Path io = Files.createDirectory(repository.resolve("io"));
        linkAllBut("urunner", others.resolve("io"), io);
        install(io, "urunner-parent", ROOT.resolve("pom.xml"), ".pom");
        for (String artifact : PUBLISHED) {
            install(io, artifact, ROOT.resolve(artifact).resolve("pom.xml"), ".pom");
            for (String kind : List.of(".jar", "-tests.jar")) {
                Path jar = ROOT.resolve(artifact).resolve("target").resolve(artifact + "-" + version() + kind);
                if (kind.equals(".jar") || Files.exists(jar)) {
                    install(io, artifact, jar, kind);
                }
            }
        }
        return repository;
    }

    private static void linkAllBut(String own, Path from, Path to) throws IOException {
        try (DirectoryStream<Path> found = Files.newDirectoryStream(from)) {
            for (Path one : found) {
                if (!one.getFileName().toString().equals(own)) {
                    Files.createSymbolicLink(to.resolve(one.getFileName()), one);
                }
            }
        }
    }

    private static void install(Path io, String artifact, Path file, String suffix) throws IOException {
        if (Files.notExists(file)) {
            throw Requirement.missing("there is no " + file.getFileName() + ": the whole build makes it");
        }
        Path to =
                Files.createDirectories(io.resolve("urunner").resolve(artifact).resolve(version()));
        Files.copy(file, to.resolve(artifact + "-" + version() + suffix));
    }

    private static String version() throws IOException {
        return first(Files.readString(ROOT.resolve("pom.xml")), "<version>([^<$]+)</version>");
    }

    /**
     * A project with a module for each block of dependencies, and what is shown until the next one. Dependencies for tests
     * belong to the module before.
     */
    private static List<String> write(Path project) throws IOException {
        String readme = Files.readString(ROOT.resolve("README.md"));
        List<String> modules = new ArrayList<>();
        StringBuilder dependencies = new StringBuilder();
        for (MatchResult block : BLOCK.matcher(readme).results().toList()) {
            if (block.group(1).equals("java")) {
                assertThat(modules)
                        .as("dependencies go before what they are for")
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
        String ours = Files.readString(ROOT.resolve("pom.xml"));
        StringBuilder plugins = new StringBuilder();
        for (String plugin : List.of("maven-resources-plugin", "maven-compiler-plugin", "maven-surefire-plugin")) {
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
                  </properties>
                  <build><pluginManagement><plugins>%s</plugins></pluginManagement></build>
                </project>
                """.formatted(
                String.join(
                        "",
                        modules.stream().map("<module>%s</module>"::formatted).toList()),
                plugins));
        return modules;
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
