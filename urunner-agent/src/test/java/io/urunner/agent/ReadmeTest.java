package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.CommandLines;
import io.urunner.agent.chart.Chart;
import io.urunner.agent.docs.Block;
import io.urunner.agent.docs.Document;
import io.urunner.agent.docs.HelmLine;
import io.urunner.agent.docs.ShellLine;
import io.urunner.registry.ImageReference;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The documents match the code. */
class ReadmeTest {
    private static final Path ROOT = Document.ROOT;
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("\\bclass (\\w+)");
    /** Maximum number of blocks that are not run; fewer are better. */
    private static final int NOT_RUN = 30;

    @Test
    void theJavaExamplesCompile(@TempDir Path classes) throws IOException {
        List<JavaFileObject> sources = new ArrayList<>();
        Matcher block = JAVA.matcher(Files.readString(ROOT.resolve("README.md")));
        while (block.find()) {
            sources.add(source(block.group(1)));
        }
        assertThat(sources).hasSizeGreaterThanOrEqualTo(3);

        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        List<String> options = List.of(
                "-d", classes.toString(), "-classpath", System.getProperty("java.class.path"), "-Xlint:all,-path");
        boolean compiled =
                compiler.getTask(null, null, found, options, null, sources).call();

        assertThat(found.getDiagnostics().stream()
                        .filter(diagnostic -> diagnostic.getKind() != Diagnostic.Kind.NOTE)
                        .map(diagnostic -> diagnostic.getMessage(Locale.ROOT)))
                .isEmpty();
        assertThat(compiled).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kube-restarter/src/test/java/io/urunner/kube/examples/RestartOne.java",
                "urunner-agent/src/test/java/io/urunner/agent/examples/EmbeddedAgent.java"
            })
    void theExampleIsRunByATestAndFitsOnAScreen(String file) throws IOException {
        String example = Files.readString(ROOT.resolve(file));
        assertThat(example.lines()).hasSizeLessThanOrEqualTo(50);
        assertThat(Files.readString(ROOT.resolve("README.md"))).contains(example.substring(example.indexOf("import ")));
    }

    @TestFactory
    Stream<DynamicTest> theLinksInTheDocumentsResolve() {
        Map<Path, Document> documents =
                Document.all().stream().collect(Collectors.toMap(Document::path, document -> document));
        return documents.values().stream()
                .map(document -> DynamicTest.dynamicTest(document.name(), () -> {
                    List<String> broken = document.links().stream()
                            .filter(link -> !leads(document, link, documents))
                            .toList();
                    assertThat(broken).as("broken links of %s", document.name()).isEmpty();
                }));
    }

    private static boolean leads(Document from, String link, Map<Path, Document> documents) {
        String[] parts = link.split("#", 2);
        Path target = parts[0].isEmpty()
                ? from.path()
                : from.path().resolveSibling(parts[0]).normalize();
        if (parts.length == 1) {
            return Files.exists(target);
        }
        Document document = documents.get(target);
        return document != null && document.anchors().contains(parts[1]);
    }

    /** So that every block of commands is recognised as one. */
    @Test
    void everyBlockOfCodeSaysWhatItIs() {
        assertThat(blocks().filter(block -> !block.isCommands()))
                .isNotEmpty()
                .allSatisfy(block -> assertThat(block.language())
                        .as("%s: use ```sh before commands, ```text before output", block)
                        .matches("[a-z]+"));
    }

    @Test
    void fewBlocksAreNotRunAndEachHasAReason() {
        List<Block> notRun =
                blocks().filter(block -> block.notRun().isPresent()).toList();
        assertThat(notRun).as("blocks of commands that no test runs").hasSizeLessThanOrEqualTo(NOT_RUN);
        assertThat(notRun).allSatisfy(block -> {
            assertThat(block.isCommands()).as("%s contains no commands", block).isTrue();
            assertThat(block.notRun().orElseThrow().split(" ")).hasSizeGreaterThan(1);
        });
    }

    /**
     * Everything that can be checked without a cluster: the program's own parser accepts the lines of {@code urunner},
     * and those of {@code helm} render the chart with the values on the page. DocumentsIT runs them, and those of
     * {@code kubectl}.
     */
    @TestFactory
    Stream<DynamicTest> theCommandsInTheDocumentsAreValid(@TempDir Path folder) {
        assertThat(Document.at("docs/troubleshooting.md").mentioned())
                .extracting(ShellLine::toString)
                .contains("urunner config", "kubectl label --overwrite namespace shop urunner=enable");
        return Document.all().stream()
                .map(document -> DynamicTest.dynamicTest(document.name(), () -> {
                    document.mentioned().forEach(ReadmeTest::assertPossiblyIncomplete);
                    Path files = Files.createTempDirectory(folder, "page");
                    Map<String, String> variables = new HashMap<>();
                    for (Block block : document.blocks()) {
                        if (block.isValues()) {
                            Files.writeString(files.resolve("values.yaml"), block.text());
                        }
                        if (!block.isCommands() || block.notRun().isPresent()) {
                            continue;
                        }
                        for (ShellLine line : block.commands(variables)) {
                            understood(line, files);
                            if (line.output().isPresent()) {
                                Files.writeString(files.resolve(line.output().get()), "{}");
                            }
                        }
                    }
                }));
    }

    /** Commands in the running text need not be complete. */
    private static void assertPossiblyIncomplete(ShellLine line) {
        line.urunner().filter(words -> !words.isEmpty()).ifPresent(words -> {
            try (Composition composition = new Composition()) {
                CommandLines.parse(composition, words);
            } catch (CommandLine.MissingParameterException e) {
                assertThat(e.getMissing()).as(line.at()).isNotEmpty();
            } catch (CommandLine.ParameterException e) {
                throw new AssertionError(line.at() + ": " + e.getMessage(), e);
            }
        });
    }

    private static void understood(ShellLine line, Path folder) {
        assertThat(line.program())
                .as("%s: a program that no test runs: say <!-- not run: WHY --> before the block", line.at())
                .isIn("kubectl", "helm", "urunner", "./urunner", "docker");
        line.urunner().ifPresent(words -> {
            try (Composition composition = new Composition()) {
                CommandLines.parse(composition, words);
            } catch (CommandLine.ParameterException e) {
                throw new AssertionError(line.at() + ": " + line + ": " + e.getMessage(), e);
            }
        });
        if (line.program().equals("docker")) {
            assertThat(line.words()).as(line.at()).hasSize(3).startsWith("docker", "push");
            assertThat(ImageReference.parse(line.words().get(2))).isNotNull();
        }
        if (line.program().equals("helm")) {
            HelmLine helm = HelmLine.of(line);
            if (helm.renders()) {
                assertThat(helm.render(folder)).as(line.at()).contains("kind: Deployment");
            }
        }
    }

    /** DocumentsIT runs one of the pages, and the result applies to all. */
    @TestFactory
    Stream<DynamicTest> theStepsOfTheInstallPagesAreTheSame() {
        List<String> steps = steps(Document.at("docs/install/README.md"));
        assertThat(steps).hasSizeGreaterThan(8);
        return Document.all().stream()
                .filter(document -> document.lines().contains("## The image"))
                .map(document -> DynamicTest.dynamicTest(
                        document.name(), () -> assertThat(steps(document)).isEqualTo(steps)));
    }

    /** Without the steps for a particular registry. */
    private static List<String> steps(Document document) {
        Map<String, String> variables = new HashMap<>();
        return document.blocks().stream()
                .filter(block -> block.isCommands() && block.notRun().isEmpty())
                .flatMap(block -> block.commands(variables).stream())
                .map(ShellLine::toString)
                .filter(line -> !line.contains(" create secret ") && !line.startsWith("docker push "))
                .toList();
    }

    @Test
    void onOpenShiftThePodNamesNoUserAndNoGroup(@TempDir Path folder) {
        Block values = Document.at("docs/install/openshift.md").blocks().stream()
                .filter(Block::isValues)
                .findFirst()
                .orElseThrow();
        Chart chart = Chart.render(folder, values.text());
        JsonNode pod = chart.podSpec().path("securityContext");
        assertThat(pod.toString())
                .isEqualTo("{\"runAsNonRoot\":true,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}");
        assertThat(chart.container().path("securityContext").toString())
                .doesNotContain("runAs")
                .contains("\"allowPrivilegeEscalation\":false", "{\"drop\":[\"ALL\"]}");
    }

    private static Stream<Block> blocks() {
        return Document.all().stream().flatMap(document -> document.blocks().stream());
    }

    private static JavaFileObject source(String text) {
        Matcher name = CLASS.matcher(text);
        assertThat(name.find()).as("an example is a class: %s", text).isTrue();
        return new SimpleJavaFileObject(
                URI.create("string:///" + name.group(1) + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
    }
}
