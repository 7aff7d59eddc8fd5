package io.urunner.agent.app.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.encoder.Encoder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.registry.testing.LogCapture;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.event.KeyValuePair;

/** An event is one harmless line of the log, whatever text is in a message, a field or an exception. */
class NastyLogTest {
    /** The time, the level, and the overhead of JSON. */
    private static final int AROUND = 256;

    private final Logger logger = new LoggerContext().getLogger("io.urunner.test");

    static List<String> nasty() {
        return NastyStrings.all();
    }

    private LoggingEvent event(String text, Throwable error) {
        LoggingEvent event = new LoggingEvent(
                Logger.class.getName(), logger, Level.WARN, "{}: {}", error, new Object[] {"registry", text});
        event.setKeyValuePairs(List.of(new KeyValuePair("subject", text)));
        return event;
    }

    private static String encoded(Encoder<ILoggingEvent> encoder, LoggingEvent event) {
        String text = new String(encoder.encode(event), StandardCharsets.UTF_8);
        assertThat(text).endsWith("\n");
        return text.substring(0, text.length() - 1);
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void aMessageIsOneLineOfText(String text) {
        NastyStrings.assertHarmless(encoded(new TextLines(), event(text, null)), Printable.LINE + AROUND);
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void aMessageAndItsFieldsAreOneObjectOfHarmlessTexts(String text) throws Exception {
        String line = encoded(new JsonLines(), event(text, null));
        NastyStrings.assertHarmless(line);
        JsonNode json = new ObjectMapper().readTree(line);
        assertThat(json.fieldNames()).toIterable().containsExactly("time", "level", "logger", "message", "subject");
        assertThat(json.path("level").asText()).isEqualTo("WARN");
        json.forEach(each -> NastyStrings.assertHarmless(each.asText(), Printable.LINE));
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void aStackTraceHasNoLinesButItsOwn(String text) throws Exception {
        IllegalStateException error = new IllegalStateException(text, new IllegalArgumentException(text));
        error.addSuppressed(new IllegalStateException(text));
        error.setStackTrace(new StackTraceElement[] {new StackTraceElement("a." + text, "b", "C.java", 1)});

        List<String> lines =
                encoded(new TextLines(), event("", error)).lines().skip(1).toList();
        assertThat(lines).allSatisfy(line -> {
            NastyStrings.assertHarmless(line.replace("\t", ""), Printable.LINE + AROUND);
            assertThat(line).matches("(\\t*at |\\t*Suppressed: |Caused by: |java\\.lang\\.|\\t*\\.\\.\\. ).*");
        });
        String json = encoded(new JsonLines(), event("", error));
        assertThat(new ObjectMapper().readTree(json).path("error").asText().lines())
                .containsExactlyElementsOf(lines);
    }

    @Test
    void anEndlessChainOfExceptionsIsCut() {
        Exception error = new IllegalStateException("first");
        for (int i = 0; i < 200; i++) {
            error = new IllegalStateException("x".repeat(5000), error);
        }
        assertThat(encoded(new TextLines(), event("", error))).hasSizeLessThan(200_000);
    }

    /** The test uses the program's logging: see {@link LoudLogs}. */
    @Test
    void eventsOfTheJdksLoggingTakeTheSameWay() {
        try (LogCapture captured = new LogCapture()) {
            java.util.logging.Logger.getLogger("okhttp3.OkHttpClient").warning("a connection leaked");
            assertThat(captured.lines())
                    .anySatisfy(line -> assertThat(line).startsWith("WARN okhttp3.OkHttpClient a connection leaked"));
        }
        assertThat(java.util.logging.LogManager.getLogManager().getLogger("").getHandlers())
                .singleElement()
                .isNotInstanceOf(java.util.logging.ConsoleHandler.class);
    }
}
