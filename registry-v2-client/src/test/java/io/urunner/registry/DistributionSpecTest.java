package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of the specification's obligations is complete, and the tests that it names exist. */
class DistributionSpecTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final int OBLIGATIONS = 42;
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d+) \\|(.*)\\|$");
    private static final Pattern NAME = Pattern.compile("`(\\w+(?:Test|IT))\\.(\\w+)`");
    private static final Pattern METHOD = Pattern.compile("@(?:Test|ParameterizedTest)\\b[\\s\\S]*?\\bvoid (\\w+)\\(");

    @Test
    void everyObligationHasARowAndEveryTestThatARowNamesExists() throws IOException {
        List<MatchResult> rows = ROW.matcher(Files.readString(ROOT.resolve("docs/distribution-spec.md")))
                .results()
                .toList();
        assertThat(rows)
                .extracting(row -> row.group(1))
                .containsExactlyElementsOf(IntStream.rangeClosed(1, OBLIGATIONS)
                        .mapToObj(String::valueOf)
                        .toList());

        Set<String> tests = tests();
        assertThat(tests).contains("DistributionSpecTest.everyObligationHasARowAndEveryTestThatARowNamesExists");
        List<String> gone = new ArrayList<>();
        for (MatchResult row : rows) {
            Matcher name = NAME.matcher(row.group(2));
            int named = 0;
            while (name.find()) {
                named++;
                String test = name.group(1) + "." + name.group(2);
                if (!tests.contains(test)) {
                    gone.add(row.group(1) + ": " + test);
                }
            }
            assertThat(named).as("tests that row %s names", row.group(1)).isPositive();
        }
        assertThat(gone).as("tests that do not exist").isEmpty();
    }

    private static Set<String> tests() throws IOException {
        Set<String> tests = new HashSet<>();
        for (String module : List.of("registry-v2-client", "urunner-agent")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    String type = file.getFileName().toString().replace(".java", "");
                    METHOD.matcher(Files.readString(file))
                            .results()
                            .forEach(method -> tests.add(type + "." + method.group(1)));
                }
            }
        }
        return tests;
    }
}
