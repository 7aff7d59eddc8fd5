package io.urunner.agent.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Texts that are meant to harm their readers: the table {@code nasty-strings.json}, and what of it may be shown. */
public final class NastyStrings {
    /** The password that some of them contain. */
    public static final String SECRET = "hunter2";

    /** Characters that have an effect, or are invisible. */
    private static final Pattern HARMFUL = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}"
            + "\\u00A0\\u034F\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u2800\\u3000\\u3164\\uFE00-\\uFE0F\\uFFA0"
            + "\\x{E0000}-\\x{E0FFF}]|\\p{M}{5}");

    private NastyStrings() {}

    /** All of them. */
    public static List<String> all() {
        List<String> all = new ArrayList<>();
        try (InputStream in = NastyStrings.class.getResourceAsStream("/nasty-strings.json")) {
            for (JsonNode each : new ObjectMapper().readTree(Objects.requireNonNull(in))) {
                all.add(each.path("text").asText().repeat(each.path("times").asInt(1))
                        + each.path("end").asText());
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        assertThat(all).hasSizeGreaterThanOrEqualTo(60);
        return all;
    }

    /** Asserts that a line with one of them is safe to show. */
    public static void assertHarmless(String line, int longest) {
        assertHarmless(line);
        assertThat(line.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(longest);
    }

    /** The same, whatever the length. */
    public static void assertHarmless(String line) {
        assertThat(HARMFUL.matcher(line).find())
                .as(() -> line.codePoints()
                        .limit(2000)
                        .mapToObj(character -> character < 0x7F && character >= ' '
                                ? Character.toString(character)
                                : "\\u{%X}".formatted(character))
                        .reduce("", String::concat))
                .isFalse();
        assertThat(line).doesNotContain(SECRET);
    }
}
