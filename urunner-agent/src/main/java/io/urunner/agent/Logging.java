package io.urunner.agent;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import io.urunner.agent.config.Settings;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Configures Logback from the settings; there is no file of its own to read, which would cost time at every start. */
final class Logging {
    private static final String TEXT = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX, UTC} %-5level %msg%n%ex{full}";

    /** What they say at INFO and DEBUG is about themselves, and some of it shows headers. */
    private static final List<String> CHATTY = List.of(
            "okhttp3",
            "io.kubernetes",
            "org.jdbi",
            "org.postgresql",
            "org.sqlite",
            "software.amazon.awssdk",
            "io.prometheus");

    private Logging() {}

    /** Writes what is at least as severe as a level to stdout or stderr; may be called again at any time. */
    static void configure(Settings.LogLevel level, Settings.LogFormat format, boolean toStdout) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setName("console");
        console.setTarget(toStdout ? "System.out" : "System.err");
        console.setEncoder(encoder(format, context));
        console.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(level(level));
        root.addAppender(console);
        Level chattyLevel = level(level).isGreaterOrEqual(Level.ERROR) ? Level.ERROR : Level.WARN;
        for (String name : CHATTY) {
            context.getLogger(name).setLevel(chattyLevel);
        }
    }

    private static Encoder<ILoggingEvent> encoder(Settings.LogFormat format, LoggerContext context) {
        if (format == Settings.LogFormat.JSON) {
            JsonLines json = new JsonLines();
            json.setContext(context);
            json.start();
            return json;
        }
        PatternLayoutEncoder text = new PatternLayoutEncoder();
        text.setContext(context);
        text.setPattern(TEXT);
        text.start();
        return text;
    }

    private static Level level(Settings.LogLevel level) {
        return switch (level) {
            case DEBUG -> Level.DEBUG;
            case INFO -> Level.INFO;
            case WARNING -> Level.WARN;
            case ERROR, CRITICAL -> Level.ERROR;
        };
    }
}
