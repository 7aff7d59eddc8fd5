package io.urunner.agent.app.logging;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.KeyValuePair;

class JsonLinesTest {
    private static final Instant TIME = Instant.parse("2026-11-23T01:02:03.456Z");

    private final Logger logger = new LoggerContext().getLogger("io.urunner.test");

    private LoggingEvent event(String message, Throwable error) {
        LoggingEvent event = new LoggingEvent(
                Logger.class.getName(), logger, Level.WARN, message, error, new Object[] {"an argument"});
        event.setInstant(TIME);
        return event;
    }

    private static JsonNode read(LoggingEvent event) throws IOException {
        String line = new String(new JsonLines().encode(event), StandardCharsets.UTF_8);
        assertThat(line).endsWith("}\n").hasLineCount(1);
        return new ObjectMapper().readTree(line);
    }

    @Test
    void anEventIsOneObjectOnOneLine() throws IOException {
        LoggingEvent event = event("with {}", null);
        event.setKeyValuePairs(List.of(new KeyValuePair("workload", "shop/Deployment/web")));

        assertThat(read(event))
                .hasToString("{\"time\":\"2026-11-23T01:02:03.456Z\",\"level\":\"WARN\","
                        + "\"logger\":\"io.urunner.test\",\"message\":\"with an argument\","
                        + "\"workload\":\"shop/Deployment/web\"}");
    }

    @Test
    void anErrorComesWithItsStackTraceOnTheSameLine() throws IOException {
        JsonNode line = read(event("failed", new IllegalStateException("of the test")));

        assertThat(line.path("error").asText()).startsWith("java.lang.IllegalStateException: of the test\n\tat ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"quo\"te", "back\\slash", "ümläut", "\uD83D\uDE80"})
    void aHarmlessTextSurvives(String text) throws IOException {
        assertThat(read(event(text, null)).path("message").asText()).isEqualTo(text);
    }
}
