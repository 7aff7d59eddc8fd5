package io.urunner.registry.testing;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Collects log events until it is closed. It needs logback on the test's class path. */
public final class LogCapture implements AutoCloseable {
    private final Logger logger;
    private final @Nullable Level before;
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            event.prepareForDeferredProcessing();
            events.add(event);
        }
    };

    /** Starts collecting everything down to the level DEBUG. */
    public LogCapture() {
        this(org.slf4j.Logger.ROOT_LOGGER_NAME);
        logger.setLevel(Level.DEBUG);
    }

    /**
     * Starts collecting what a class logs.
     *
     * @param logger the class
     */
    public LogCapture(Class<?> logger) {
        this(logger.getName());
    }

    private LogCapture(String name) {
        logger = (Logger) LoggerFactory.getLogger(name);
        before = logger.getLevel();
        appender.setContext(logger.getLoggerContext());
        appender.start();
        logger.addAppender(appender);
    }

    /**
     * Returns what was logged so far.
     *
     * @return a text per event: level, logger, message, stack trace
     */
    public List<String> lines() {
        return events.stream()
                .map(event -> event.getLevel() + " " + event.getLoggerName() + " " + event.getFormattedMessage() + " "
                        + (event.getThrowableProxy() == null
                                ? ""
                                : ThrowableProxyUtil.asString(event.getThrowableProxy())))
                .toList();
    }

    /**
     * Returns the messages that were logged so far.
     *
     * @return the messages
     */
    public List<String> messages() {
        return messages(Level.TRACE);
    }

    /**
     * Returns the messages of a level, or of a higher one, that were logged so far.
     *
     * @param least the level
     * @return the messages
     */
    public List<String> messages(Level least) {
        return events.stream()
                .filter(event -> event.getLevel().isGreaterOrEqual(least))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    /** Forgets what was logged so far. */
    public void clear() {
        events.clear();
    }

    @Override
    public void close() {
        logger.detachAppender(appender);
        logger.setLevel(before);
        appender.stop();
    }
}
