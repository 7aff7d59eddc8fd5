package io.urunner.agent.app.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import io.urunner.agent.text.Printable;

/**
 * What the log shows of an event, in either format. Messages, fields and the messages of exceptions hold what others wrote;
 * the lines of a stack trace are the only line breaks.
 */
final class LogText {
    private static final int MOST_FRAMES = 100;
    private static final int MOST_THROWABLES = 16;

    private LogText() {}

    static String message(ILoggingEvent event) {
        return Printable.line(String.valueOf(event.getFormattedMessage()));
    }

    /** A stack trace as the JVM writes it, but bounded: each throwable is one line, and so is each frame. */
    static String trace(IThrowableProxy error) {
        StringBuilder text = new StringBuilder(1024);
        trace(error, "", "", text, 1);
        return text.toString();
    }

    private static int trace(IThrowableProxy error, String indent, String label, StringBuilder text, int number) {
        if (number > MOST_THROWABLES) {
            return number;
        }
        String message = error.getMessage();
        text.append(indent)
                .append(label)
                .append(Printable.line(error.getClassName() + (message == null ? "" : ": " + message)))
                .append('\n');
        StackTraceElementProxy[] frames = error.getStackTraceElementProxyArray();
        int own = frames == null ? 0 : frames.length - error.getCommonFrames();
        for (int i = 0; i < Math.min(own, MOST_FRAMES); i++) {
            text.append(indent)
                    .append('\t')
                    .append(Printable.line(frames[i].getSTEAsString()))
                    .append('\n');
        }
        int left = (frames == null ? 0 : frames.length) - Math.min(own, MOST_FRAMES);
        if (left > 0) {
            text.append(indent).append("\t... ").append(left).append(" more\n");
        }
        int next = number + 1;
        IThrowableProxy[] suppressed = error.getSuppressed();
        for (IThrowableProxy each : suppressed == null ? new IThrowableProxy[0] : suppressed) {
            next = trace(each, indent + "\t", "Suppressed: ", text, next);
        }
        return error.getCause() == null ? next : trace(error.getCause(), indent, "Caused by: ", text, next);
    }
}
