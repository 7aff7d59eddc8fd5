package io.urunner.agent.app.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The last test of the build, run by itself after all others: the logs of the tests of all modules, including those of
 * the agents that they started as processes, contain none of the secrets that they used.
 */
class LogsHoldNoSecret {
    private static final Path MODULES = Path.of("..");
    private static final int PREFIX = 8;

    @Test
    void noLogOfTheWholeSuiteContainsASecretThatATestUsed() throws IOException {
        Map<String, List<String>> secrets = byPrefix();
        List<Path> logs = logs();
        boolean whole = "true".equals(System.getenv("CI"));
        assumeTrue(whole || (!secrets.isEmpty() && !logs.isEmpty()), "no test ran before: nothing is looked for");
        long bytes = 0;
        Set<String> leaks = new HashSet<>();
        for (Path log : logs) {
            String text = Files.readString(log, StandardCharsets.ISO_8859_1);
            bytes += text.length();
            for (int i = 0; i + PREFIX <= text.length(); i++) {
                for (String secret : secrets.getOrDefault(text.substring(i, i + PREFIX), List.of())) {
                    if (text.startsWith(secret, i)) {
                        leaks.add(log + " holds " + secret);
                    }
                }
            }
        }
        assertThat(leaks).isEmpty();
        if (whole) {
            assertThat(secrets).as("secrets that were searched for").hasSizeGreaterThan(20);
            assertThat(bytes).as("bytes of logs").isGreaterThan(10_000);
        }
    }

    /** The bytes as they appear in the logs. */
    private static Map<String, List<String>> byPrefix() throws IOException {
        Set<String> secrets = new HashSet<>();
        for (Path file : files("target/used-secrets.txt")) {
            secrets.addAll(Files.readAllLines(file, StandardCharsets.ISO_8859_1));
        }
        return secrets.stream().collect(Collectors.groupingBy(secret -> secret.substring(0, PREFIX)));
    }

    private static List<Path> logs() throws IOException {
        List<Path> logs = new ArrayList<>();
        for (String reports : List.of("target/surefire-reports", "target/failsafe-reports")) {
            for (Path folder : files(reports)) {
                try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*-output.txt")) {
                    found.forEach(logs::add);
                }
            }
        }
        return logs;
    }

    private static List<Path> files(String name) throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> modules = Files.newDirectoryStream(MODULES, Files::isDirectory)) {
            for (Path module : modules) {
                if (Files.exists(module.resolve(name))) {
                    files.add(module.resolve(name));
                }
            }
        }
        return files;
    }
}
