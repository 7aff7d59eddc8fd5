package io.urunner.agent.text;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** How people write durations: accepted, with the same meaning, wherever a duration is read. */
public final class DurationTexts {
    private DurationTexts() {}

    /** Texts and the durations that they mean. */
    public static Stream<Arguments> accepted() {
        return Stream.of(
                arguments("1", Duration.ofSeconds(1)),
                arguments("90", Duration.ofSeconds(90)),
                arguments("007", Duration.ofSeconds(7)),
                arguments("2147483647", Duration.ofSeconds(2147483647)),
                arguments("90s", Duration.ofSeconds(90)),
                arguments("10S", Duration.ofSeconds(10)),
                arguments("5m", Duration.ofMinutes(5)),
                arguments("90m", Duration.ofMinutes(90)),
                arguments("1h", Duration.ofHours(1)),
                arguments("2d", Duration.ofDays(2)),
                arguments("1h30m", Duration.ofMinutes(90)),
                arguments("1D2H3M4S", Duration.parse("P1DT2H3M4S")),
                arguments("1s500ms", Duration.ofMillis(1500)),
                arguments("1500ms", Duration.ofMillis(1500)),
                arguments("PT5M", Duration.ofMinutes(5)),
                arguments("pt1.5s", Duration.ofMillis(1500)),
                arguments("P1D", Duration.ofDays(1)),
                arguments("36500d", Duration.ofDays(36500)));
    }

    /** Texts that are refused, with what the message says. */
    public static Stream<Arguments> refused() {
        String form = "is not a duration; write for example 90 (seconds), 30s, 5m, 1h30m or 2d";
        return Stream.of(
                arguments("soon", "'soon' " + form),
                arguments("-5s", "'-5s' " + form),
                arguments("PT-5S", "'PT-5S' " + form),
                arguments("5 m", "'5 m' " + form),
                arguments("1m1h", "'1m1h' " + form),
                arguments("1h30", "'1h30' " + form),
                arguments("1.5h", "'1.5h' " + form),
                arguments("10000000000000000s", "'10000000000000000s' " + form),
                arguments("hunter2-is-my-long-password", "the value " + form),
                arguments("36501d", "'36501d' is longer than 36500 days"),
                arguments("999999999999d", "'999999999999d' is longer than 36500 days"),
                arguments("9999999999s", "'9999999999s' is longer than 36500 days"),
                arguments("PT2562047788015215H", "'PT2562047788015215H' is longer than 36500 days"));
    }
}
