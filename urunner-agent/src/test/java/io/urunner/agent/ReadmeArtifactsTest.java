package io.urunner.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** The README's table of artifacts matches the POMs. {@code -Dtest.jvm.args=-Dreadme.update=true} regenerates it. */
class ReadmeArtifactsTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Path README = ROOT.resolve("README.md");
    private static final String START = "<!-- artifacts:start -->\n";
    private static final String END = "<!-- artifacts:end -->";
    private static final String OURS = "io.urunner";

    /** By the text in the POM that creates them. */
    private static final Map<String, String> CLASSIFIERS = new TreeMap<>(
            Map.of(
                    "<shadedClassifierName>all<",
                    "| `%s` | `all` | The program, with everything it needs: `java -jar` |  | nothing |",
                    ">io.urunner.registry.testing</Automatic-Module-Name>",
                    "| `%s` | `tests` | `CredentialPluginContract`, the suite for plugins; type `test-jar` "
                            + "| `io.urunner.registry.testing`, automatic | what [a plugin's tests](#writing-a-plugin) name |"));

    @Test
    void theTableInTheReadmeMatchesThePoms() throws Exception {
        Element parent = pom(ROOT.resolve("pom.xml"));
        List<String> rows = new ArrayList<>();
        rows.add("| Artifact | Classifier | What it is | Module | Dependencies |");
        rows.add("|---|---|---|---|---|");
        for (Element module : children(child(parent, "modules"), "module")) {
            rows.addAll(rows(ROOT.resolve(module.getTextContent()), parent));
        }
        String table = String.join("\n", rows) + "\n";

        String readme = Files.readString(README);
        assertThat(readme)
                .contains(
                        START,
                        END,
                        "the group `io.urunner`",
                        "the version `" + child(parent, "version").getTextContent() + "`");
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        if (Boolean.getBoolean("readme.update")) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
        } else {
            assertThat(readme.substring(start, end)).isEqualTo(table);
        }
    }

    @Test
    void thePomOfAPluginHasOurVersions() throws Exception {
        Element parent = pom(ROOT.resolve("pom.xml"));
        String page = Files.readString(ROOT.resolve("docs/plugins.md"));
        Matcher block =
                Pattern.compile("```xml\\n(<project>.*?)```", Pattern.DOTALL).matcher(page);
        assertThat(block.find()).isTrue();
        Element plugin = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(block.group(1).getBytes(StandardCharsets.UTF_8)))
                .getDocumentElement();
        List<Element> dependencies = children(child(plugin, "dependencies"), "dependency");
        assertThat(dependencies)
                .hasSize(7)
                .allSatisfy(dependency -> assertThat(text(dependency, "version"))
                        .as(text(dependency, "artifactId"))
                        .isEqualTo(
                                text(dependency, "groupId").equals(OURS)
                                        ? text(parent, "version")
                                        : version(dependency, parent)));
    }

    private static List<String> rows(Path module, Element parent) throws Exception {
        Path file = module.resolve("pom.xml");
        Element pom = pom(file);
        String artifact = child(pom, "artifactId").getTextContent();
        List<String> rows = new ArrayList<>();
        rows.add("| `%s` |  | %s | %s | %s |"
                .formatted(
                        artifact,
                        child(pom, "description").getTextContent().replaceAll("\\.$", ""),
                        name(module),
                        bringsAlong(pom, parent)));
        String text = Files.readString(file);
        CLASSIFIERS.forEach((maker, row) -> {
            if (text.contains(maker)) {
                rows.add(row.formatted(artifact));
            }
        });
        return rows;
    }

    private static String name(Path module) throws IOException {
        Path declaration = module.resolve("src/main/java/module-info.java");
        return Files.exists(declaration)
                ? "`" + first(declaration, "module ([\\w.]+) \\{") + "`"
                : "`" + first(module.resolve("pom.xml"), "<Automatic-Module-Name>([\\w.]+)<") + "`, automatic";
    }

    private static String first(Path file, String pattern) throws IOException {
        Matcher found = Pattern.compile(pattern).matcher(Files.readString(file));
        assertThat(found.find()).as("%s in %s", pattern, file).isTrue();
        return found.group(1);
    }

    /** The dependencies that come with an artifact: without test and optional ones. */
    private static String bringsAlong(Element pom, Element parent) {
        return children(child(pom, "dependencies"), "dependency").stream()
                .filter(dependency -> !List.of("test", "provided").contains(text(dependency, "scope")))
                .filter(dependency -> !text(dependency, "optional").equals("true"))
                .map(dependency -> {
                    String artifact = "`" + text(dependency, "artifactId") + "`";
                    return text(dependency, "groupId").equals(OURS)
                            ? artifact
                            : artifact + " " + version(dependency, parent);
                })
                .collect(Collectors.joining(", "));
    }

    private static String version(Element dependency, Element parent) {
        String group = text(dependency, "groupId");
        List<Element> managed = children(child(child(parent, "dependencyManagement"), "dependencies"), "dependency");
        Element manager = managed.stream()
                .filter(one -> text(one, "groupId").equals(group))
                .filter(one -> text(one, "artifactId").equals(text(dependency, "artifactId")))
                .findFirst()
                .or(() -> managed.stream()
                        .filter(one -> text(one, "scope").equals("import"))
                        .filter(one -> group.startsWith(text(one, "groupId")))
                        .findFirst())
                .orElseThrow();
        Matcher property = Pattern.compile("\\$\\{(.+)}").matcher(text(manager, "version"));
        assertThat(property.matches())
                .as("the version of %s is a property", group)
                .isTrue();
        return text(child(parent, "properties"), property.group(1));
    }

    private static Element pom(Path file) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
    }

    private static String text(Element parent, String name) {
        return children(parent, name).stream()
                .map(Node::getTextContent)
                .findFirst()
                .orElse("");
    }

    private static Element child(Element parent, String name) {
        return children(parent, name).get(0);
    }

    private static List<Element> children(Element parent, String name) {
        List<Element> found = new ArrayList<>();
        NodeList all = parent.getChildNodes();
        for (int i = 0; i < all.getLength(); i++) {
            if (all.item(i) instanceof Element one && one.getTagName().equals(name)) {
                found.add(one);
            }
        }
        return found;
    }
}
