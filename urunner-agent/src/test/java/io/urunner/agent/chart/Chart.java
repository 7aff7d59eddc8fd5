package io.urunner.agent.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The Helm chart, and what it renders. */
public final class Chart {
    public static final Path FOLDER = Path.of("helm", "urunner").toAbsolutePath();

    private static final Path DOCS = Path.of("").toAbsolutePath().resolveSibling("docs");
    /** Example values begin like this. */
    private static final Pattern EXAMPLE = Pattern.compile("```yaml\\R(# values\\.yaml\\R.*?)```", Pattern.DOTALL);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<JsonNode> objects;

    private Chart(List<JsonNode> objects) {
        this.objects = objects;
    }

    /** Renders the release {@code urunner} in the namespace {@code agents}, with an image, which has no default. */
    public static Chart render(Path... values) {
        return render("1.30.0", values);
    }

    public static Chart render(String kubeVersion, Path... values) {
        return render(kubeVersion, "agents", values);
    }

    public static Chart render(String kubeVersion, String namespace, Path... values) {
        return render(FOLDER, kubeVersion, namespace, values);
    }

    /** The pod of {@code helm test}; what Helm renders has no hooks. */
    public static JsonNode test(Path folder, Path... values) {
        try {
            Path copy = Files.createTempDirectory(folder, "chart");
            try (Stream<Path> files = Files.walk(FOLDER)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Path target = copy.resolve(FOLDER.relativize(file));
                    Files.createDirectories(target.getParent());
                    Files.writeString(target, Files.readString(file).replace("helm.sh/hook: test", "hook: test"));
                }
            }
            return render(copy, "1.30.0", "agents", values).only("Pod");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Chart render(Path chart, String kubeVersion, String namespace, Path... values) {
        TemplateCommand command = new Helm(chart)
                .template()
                .withName("urunner")
                .withNamespace(namespace)
                .withKubeVersion(kubeVersion)
                .withValuesFile(resource("image.yaml"));
        for (Path file : values) {
            command.withValuesFile(file);
        }
        return new Chart(documents(command.call()));
    }

    /** Renders a text of values. */
    public static Chart render(Path folder, String values) {
        return render(file(folder, values));
    }

    public static Path file(Path folder, String values) {
        try {
            return Files.writeString(Files.createTempFile(folder, "values", ".yaml"), values);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Values among the tests' resources. */
    public static Path resource(String name) {
        try {
            return Path.of(Objects.requireNonNull(Chart.class.getResource("/chart/" + name))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The example values in the documentation, by page and their number on it. */
    public static Map<String, String> examples() {
        Map<String, String> examples = new TreeMap<>();
        List<Path> pages = new ArrayList<>(List.of(FOLDER.resolve("README.md")));
        try (Stream<Path> docs = Files.walk(DOCS)) {
            docs.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
            for (Path page : pages) {
                Matcher matcher = EXAMPLE.matcher(Files.readString(page));
                for (int i = 1; matcher.find(); i++) {
                    examples.put(page.getFileName() + " " + i, matcher.group(1));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return examples;
    }

    /** The documents of a YAML stream. */
    public static List<JsonNode> documents(String yaml) {
        List<JsonNode> documents = new ArrayList<>();
        for (Object document : new Load(LoadSettings.builder().build()).loadAllFromString(yaml)) {
            if (document != null) {
                documents.add(JSON.valueToTree(document));
            }
        }
        return documents;
    }

    public List<JsonNode> objects() {
        return objects;
    }

    /** The only object of a kind. */
    public JsonNode only(String kind) {
        List<JsonNode> found = all(kind);
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " objects of the kind " + kind + ": " + found);
        }
        return found.get(0);
    }

    public List<JsonNode> all(String kind) {
        return objects.stream()
                .filter(each -> each.path("kind").asText().equals(kind))
                .toList();
    }

    public JsonNode named(String kind, String name) {
        return all(kind).stream()
                .filter(each -> each.path("metadata").path("name").asText().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
    }

    public JsonNode podSpec() {
        return only("Deployment").path("spec").path("template").path("spec");
    }

    public JsonNode container() {
        return podSpec().path("containers").path(0);
    }

    /** The environment variables that the container gets from the rendered objects. */
    public Map<String, String> environment() {
        Map<String, String> environment = new TreeMap<>();
        container().path("envFrom").forEach(source -> {
            String secret = source.path("secretRef").path("name").asText();
            String configMap = source.path("configMapRef").path("name").asText();
            all("ConfigMap").stream()
                    .filter(each -> name(each).equals(configMap))
                    .forEach(each -> each.path("data")
                            .properties()
                            .forEach(entry -> environment.put(
                                    entry.getKey(), entry.getValue().asText())));
            all("Secret").stream()
                    .filter(each -> name(each).equals(secret))
                    .forEach(each -> each.path("data")
                            .properties()
                            .forEach(entry -> environment.put(
                                    entry.getKey(), decode(entry.getValue().asText()))));
        });
        container()
                .path("env")
                .forEach(each -> environment.put(
                        each.path("name").asText(), each.path("value").asText()));
        return environment;
    }

    /** The configuration file; empty if there is none. */
    public String settings() {
        return all("Secret").stream()
                .filter(each -> name(each).endsWith("-settings"))
                .map(each -> decode(each.path("data").path("urunner.yaml").asText()))
                .findFirst()
                .orElse("");
    }

    private static String name(JsonNode object) {
        return object.path("metadata").path("name").asText();
    }

    private static String decode(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }
}
