package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documents show is what the code has. */
class ReadmeTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Pattern JAVA = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("\\bclass (\\w+)");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)(#[^)]*)?\\)");

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

    @Test
    void theExampleOfTheRestarterIsTheOneThatATestRunsAndFitsOnAScreen() throws IOException {
        String example =
                Files.readString(ROOT.resolve("kube-restarter/src/test/java/io/urunner/kube/examples/RestartOne.java"));
        assertThat(example.lines()).hasSizeLessThanOrEqualTo(40);
        assertThat(Files.readString(ROOT.resolve("README.md"))).contains(example.substring(example.indexOf("import ")));
    }

    @Test
    void theLinksOfTheDocumentsLeadSomewhere() throws IOException {
        List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")));
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            docs.filter(path -> path.toString().endsWith(".md")).forEach(documents::add);
        }
        for (Path document : documents) {
            List<String> broken = LINK.matcher(Files.readString(document))
                    .results()
                    .map((MatchResult link) -> link.group(1))
                    .filter(target -> Files.notExists(document.resolveSibling(target)))
                    .toList();
            assertThat(broken)
                    .as("broken links of %s", ROOT.relativize(document))
                    .isEmpty();
        }
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
