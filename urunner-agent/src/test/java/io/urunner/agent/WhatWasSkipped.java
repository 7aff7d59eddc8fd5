package io.urunner.agent;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Prints the last lines of the build: which tests of all modules were skipped, and why, according to their reports.
 * Maven runs it in its own process after all tests; it prints at the end of that process, below Maven's own output.
 */
public final class WhatWasSkipped {
    private static final Path MODULES = Path.of("..");

    private WhatWasSkipped() {}

    /** Takes the module's folder and the start time of the build; older reports belong to other builds. */
    public static void main(String[] arguments) throws Exception {
        String table = table(Path.of(arguments[0]).resolve(MODULES).normalize(), Instant.parse(arguments[1]));
        byte[] text = table.getBytes(StandardCharsets.UTF_8);
        Runnable print = () -> {
            try (PrintStream console = new PrintStream(new FileOutputStream(FileDescriptor.out))) {
                console.write(text, 0, text.length);
            }
        };
        // The calling plugin destroys its own thread group.
        ThreadGroup maven = Thread.currentThread().getThreadGroup().getParent();
        Runtime.getRuntime().addShutdownHook(new Thread(maven, print));
    }

    static String table(Path modules, Instant begun) throws Exception {
        Map<String, Integer> reasons = new TreeMap<>();
        for (Path report : reports(modules, begun)) {
            for (Map.Entry<String, Integer> reason : reasons(report).entrySet()) {
                reasons.merge(reason.getKey(), reason.getValue(), Integer::sum);
            }
        }
        if (reasons.isEmpty()) {
            return "";
        }
        StringBuilder table = new StringBuilder("\nSkipped, because this machine lacks something:\n\n");
        reasons.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                .forEach(reason -> table.append("%5d  %s%n".formatted(reason.getValue(), reason.getKey())));
        return table.append("\nAll of them run, on Debian and as root, with: ")
                .append("eval \"$(.ci/provision-tests)\" && ./mvnw -Pimage verify    (docs/testing.md)\n")
                .toString();
    }

    private static List<Path> reports(Path modules, Instant begun) throws IOException {
        List<Path> reports = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(modules, Files::isDirectory)) {
            for (Path module : found) {
                for (String kind : List.of("surefire-reports", "failsafe-reports")) {
                    Path folder = module.resolve("target").resolve(kind);
                    if (Files.isDirectory(folder)) {
                        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "TEST-*.xml")) {
                            for (Path file : files) {
                                if (!Files.getLastModifiedTime(file).toInstant().isBefore(begun)) {
                                    reports.add(file);
                                }
                            }
                        }
                    }
                }
            }
        }
        return reports;
    }

    private static Map<String, Integer> reasons(Path report)
            throws ParserConfigurationException, IOException, SAXException {
        DocumentBuilder parser = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        NodeList skipped = parser.parse(report.toFile()).getElementsByTagName("skipped");
        Map<String, Integer> reasons = new TreeMap<>();
        for (int i = 0; i < skipped.getLength(); i++) {
            // The first line of the stack trace: "TYPE: REASON". The text after another colon is specific to the case.
            String message = skipped.item(i).getTextContent().strip().split("\\R", 2)[0];
            String reason = message.replaceFirst("^\\S+Exception: (Assumption failed: )?", "")
                    .split(": ", 2)[0];
            reasons.merge(reason, 1, Integer::sum);
        }
        return reasons;
    }
}
