package io.urunner.agent.app.cli;

import io.urunner.agent.text.Durations;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Converts the value of {@code --timeout}. */
final class Timeout implements ITypeConverter<Duration> {
    static final String LABEL = "DURATION";
    static final String FORM = "in seconds or as 90s, 5m or 1h30m";

    @Override
    public Duration convert(String text) {
        Duration timeout;
        try {
            timeout = Durations.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
        if (timeout.isZero()) {
            throw new TypeConversionException("must be longer than 0");
        }
        return timeout;
    }
}
