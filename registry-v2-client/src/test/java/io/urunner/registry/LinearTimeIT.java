package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import okhttp3.Headers;
import org.junit.jupiter.api.Test;

/**
 * The time to read hostile input grows linearly with its length, not quadratically. This compares the thread's CPU time
 * for a length and for eight times that length: eight times as much is linear, 64 times is quadratic.
 */
class LinearTimeIT {
    private static final int SHORT = 10_000;
    private static final int FACTOR = 8;

    /** More than this is not linear; half way between 8 and 64 on a logarithmic scale. */
    private static final double MOST = 22.6;

    /** If the long input takes less, there is nothing to compare: quadratic time would be much longer. */
    private static final long NOTHING = 5_000_000;

    private static final int TRIES = 4;

    private static final List<String> PARTS = List.of(
            "a",
            "a/",
            "a.",
            "a:",
            "a-",
            "-",
            "_",
            "__",
            ".",
            "/",
            "@",
            ":",
            "[",
            "a@",
            "a,",
            ",",
            " ",
            "=",
            "\"",
            "\\",
            "a=",
            "a=b,",
            "a=\"b\",",
            "<",
            ">",
            "<a>",
            "<a>;",
            ";",
            "<a>,",
            "Basic ",
            "1",
            "{\"a\":",
            "[],",
            "{},",
            "null,");

    private static final Map<String, Consumer<String>> PARSERS = new LinkedHashMap<>();

    static {
        PARSERS.put("reference", refusing(ImageReference::parse));
        PARSERS.put("repository", refusing(Repository::parse));
        PARSERS.put("registry", refusing(RegistryPrefix::parse));
        PARSERS.put("digest", refusing(Digest::parse));
        PARSERS.put("platform", refusing(Platform::parse));
        PARSERS.put("challenge", text -> Challenge.parse(List.of(text)));
        PARSERS.put("link", LinearTimeIT::link);
        PARSERS.put("rate limit", text -> RateLimitHeaders.parse(name -> text, Instant.EPOCH));
        PARSERS.put("retry after", text -> RateLimitHeaders.retryAfter(Headers.of("Retry-After", text), Instant.EPOCH));
        PARSERS.put("manifest", refusing(text -> ManifestOrIndex.parse(bytes(text), "")));
        PARSERS.put("errors", text -> ErrorAnswer.of(bytes(text)).errors());
        PARSERS.put("token", LinearTimeIT::token);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void token(String text) {
        try {
            Token.parse(Token.read(bytes(text)), Instant.EPOCH, Instant.EPOCH);
        } catch (IOException e) {
            // It is rejected as a token.
        }
    }

    private static void link(String text) {
        try {
            Listings.nextLink(List.of(text));
        } catch (Violation e) {
            // Refused in time.
        }
    }

    private static Consumer<String> refusing(Consumer<String> parser) {
        return text -> {
            try {
                parser.accept(text);
            } catch (IllegalArgumentException e) {
                // It is rejected with a reason.
            }
        };
    }

    @Test
    void noParserTakesQuadraticTime() {
        PARSERS.forEach((name, parser) -> {
            for (String start :
                    List.of("", "reg.example/", "Bearer a=\"", "<a>; rel=\"", "{\"manifests\":[", "{\"token\":\"")) {
                for (String part : PARTS) {
                    assertThat(growth(parser, start, part))
                            .as("%s of %s and many %s", name, start, part)
                            .isLessThan(MOST);
                }
            }
        });
    }

    @Test
    void quadraticTimeIsDetected() {
        assertThat(growth(LinearTimeIT::quadratic, "", "a")).isGreaterThan(MOST);
    }

    private static void quadratic(String text) {
        int found = 0;
        for (int i = 0; i < text.length(); i++) {
            found += text.indexOf('b', i);
        }
        assertThat(found).isNegative();
    }

    private static double growth(Consumer<String> parser, String start, String part) {
        String small = start + part.repeat(SHORT / part.length());
        String large = start + part.repeat(FACTOR * SHORT / part.length());
        double least = Double.MAX_VALUE;
        for (int i = 0; i < TRIES && least >= MOST; i++) {
            long before = Math.max(1, least(parser, small));
            long after = least(parser, large);
            least = after < NOTHING ? FACTOR : Math.min(least, (double) after / before);
        }
        return least;
    }

    /** The least CPU time of several runs: other activity on the machine only adds to it. */
    private static long least(Consumer<String> parser, String text) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            parser.accept(text);
            least = Math.min(least, ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before);
        }
        return least;
    }
}
