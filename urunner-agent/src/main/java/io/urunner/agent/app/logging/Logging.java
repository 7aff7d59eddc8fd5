package io.urunner.agent.app.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import io.urunner.agent.app.config.Settings;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.LoggerFactory;

/** Configures Logback from the settings. It reads no configuration file, which would cost time at every start. */
public final class Logging {
    /** What these log at INFO and DEBUG is about themselves, and some of it contains headers. */
    private static final List<String> CHATTY = List.of(
            "okhttp3",
            "io.kubernetes",
            "org.jdbi",
            "org.postgresql",
            "org.sqlite",
            "software.amazon.awssdk",
            "io.prometheus");

    private Logging() {}

    /** Writes events of at least the given level to stdout or stderr; may be called again at any time. */
    public static void configure(Settings.LogLevel level, Settings.LogFormat format, boolean toStdout) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>() {
            @Override
            protected void append(ILoggingEvent event) {
                PrintedLines.logging(() -> super.append(event));
            }
        };
        console.setContext(context);
        console.setName("console");
        console.setTarget(toStdout ? "System.out" : "System.err");
        console.setEncoder(encoder(format, context));
        console.start();
        takeOver();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(level(level));
        root.addAppender(console);
        Level chattyLevel = level(level).isGreaterOrEqual(Level.ERROR) ? Level.ERROR : Level.WARN;
        for (String name : CHATTY) {
            context.getLogger(name).setLevel(chattyLevel);
        }
    }

    /** Whether log events are written anywhere yet. */
    public static boolean isConfigured() {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        return context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)
                .iteratorForAppenders()
                .hasNext();
    }

    /**
     * OkHttp, the PostgreSQL driver and the JDK use the JDK's logging, which would write to stderr in its own format.
     */
    private static void takeOver() {
        java.util.logging.Logger root =
                java.util.logging.LogManager.getLogManager().getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        root.addHandler(new FromJdk());
    }

    /** Forwards events of the JDK's logging. */
    private static final class FromJdk extends Handler {
        private final SimpleFormatter formatter = new SimpleFormatter();

        @Override
        public void publish(LogRecord event) {
            String name = event.getLoggerName() == null ? "java" : event.getLoggerName();
            int severity = event.getLevel().intValue();
            org.slf4j.event.Level level = severity >= java.util.logging.Level.SEVERE.intValue()
                    ? org.slf4j.event.Level.ERROR
                    : severity >= java.util.logging.Level.WARNING.intValue()
                            ? org.slf4j.event.Level.WARN
                            : severity >= java.util.logging.Level.INFO.intValue()
                                    ? org.slf4j.event.Level.INFO
                                    : org.slf4j.event.Level.DEBUG;
            LoggerFactory.getLogger(name)
                    .atLevel(level)
                    .setCause(event.getThrown())
                    .log(formatter.formatMessage(event));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    private static Encoder<ILoggingEvent> encoder(Settings.LogFormat format, LoggerContext context) {
        Encoder<ILoggingEvent> lines = switch (format) {
            case JSON -> new JsonLines();
            case TEXT -> new TextLines();
        };
        lines.setContext(context);
        lines.start();
        return lines;
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
