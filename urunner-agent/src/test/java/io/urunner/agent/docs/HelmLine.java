package io.urunner.agent.docs;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.TemplateCommand;
import com.marcnuri.helm.UpgradeCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A {@code helm} command, as far as the pages use it. */
public final class HelmLine {
    private static final Set<String> FLAGS =
            Set.of("--install", "--create-namespace", "--reset-values", "--wait", "--logs");

    private final String verb;
    private final List<String> names = new ArrayList<>();
    private final List<String> files = new ArrayList<>();
    private final Map<String, String> set = new LinkedHashMap<>();
    private final List<String> flags = new ArrayList<>();
    private String namespace = "default";
    private String output = "";

    private HelmLine(ShellLine line) {
        Deque<String> words = new ArrayDeque<>(line.words());
        words.removeFirst();
        while (!words.isEmpty()) {
            String word = words.removeFirst();
            switch (word) {
                case "-n", "--namespace" -> namespace = words.removeFirst();
                case "-f", "--values" -> files.add(words.removeFirst());
                case "-o", "--output" -> output = words.removeFirst();
                case "--set", "--set-string" -> {
                    String[] pair = words.removeFirst().split("=", 2);
                    set.put(pair[0], pair[1]);
                }
                default -> {
                    if (!word.startsWith("-")) {
                        names.add(word);
                    } else if (FLAGS.contains(word)) {
                        flags.add(word);
                    } else {
                        throw new AssertionError(line.at() + ": unknown to the test: helm " + word);
                    }
                }
            }
        }
        verb = names.remove(0);
        int wanted = switch (verb) {
            case "upgrade", "template", "get" -> 2;
            case "uninstall", "test" -> 1;
            default -> throw new AssertionError(line.at() + ": unknown to the test: helm " + verb);
        };
        if (names.size() != wanted || (verb.equals("get") && !names.get(0).equals("values"))) {
            throw new AssertionError(line.at() + ": helm " + verb + " " + names);
        }
        if (verb.equals("get") && !output.equals("yaml")) {
            throw new AssertionError(line.at() + ": helm get values writes a header, unless -o yaml is given");
        }
    }

    /** Parses a line; anything that this test does not know is refused. */
    public static HelmLine of(ShellLine line) {
        return new HelmLine(line);
    }

    /** Whether it renders a chart. */
    public boolean renders() {
        return verb.equals("upgrade") || verb.equals("template");
    }

    /** Renders the objects that it would install. */
    public String render(Path folder) {
        TemplateCommand command = chart().template()
                .withName(names.get(0))
                .withNamespace(namespace)
                .withKubeVersion("1.30.0");
        files.forEach(file -> command.withValuesFile(existing(folder, file)));
        set.forEach(command::set);
        return command.call();
    }

    /**
     * Runs it, and returns the output.
     *
     * @param kubeconfig the cluster
     * @param folder the folder with its files
     */
    public String run(Path kubeconfig, Path folder) {
        switch (verb) {
            case "upgrade" -> {
                UpgradeCommand command = chart().upgrade()
                        .withName(names.get(0))
                        .withNamespace(namespace)
                        .withKubeConfig(kubeconfig);
                files.forEach(file -> command.withValuesFile(existing(folder, file)));
                set.forEach(command::set);
                if (flags.contains("--install")) {
                    command.install();
                }
                if (flags.contains("--create-namespace")) {
                    command.createNamespace();
                }
                if (flags.contains("--reset-values")) {
                    command.resetValues();
                }
                return command.call().getOutput();
            }
            case "get" -> {
                return Helm.get(names.get(1))
                        .values()
                        .withNamespace(namespace)
                        .withKubeConfig(kubeconfig)
                        .call();
            }
            case "uninstall" -> {
                return Helm.uninstall(names.get(0))
                        .withNamespace(namespace)
                        .withKubeConfig(kubeconfig)
                        .call();
            }
            case "template" -> {
                return render(folder);
            }
            default -> throw new AssertionError("helm " + verb + " is not run by this test");
        }
    }

    /** The release that it creates or changes, if any. */
    public Optional<String> release() {
        return verb.equals("upgrade") ? Optional.of(names.get(0)) : Optional.empty();
    }

    private Helm chart() {
        Path chart = Document.ROOT.resolve(names.get(1));
        if (!Files.exists(chart.resolve("Chart.yaml"))) {
            throw new AssertionError("there is no chart in " + names.get(1));
        }
        return new Helm(chart);
    }

    private static Path existing(Path folder, String file) {
        Path path = folder.resolve(file);
        if (Files.notExists(path)) {
            throw new AssertionError("nothing created the file " + file);
        }
        return path;
    }
}
