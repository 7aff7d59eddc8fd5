package io.urunner.agent.app.logging;

import io.urunner.agent.app.config.FailureText;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces the standard output and the error output. Text that plugins and libraries print there would get between the
 * lines of the log, or into the output of a command: it goes to the log instead, line by line; only the beginning of a
 * long line is kept. The log itself passes through. Thread-safe.
 */
public final class PrintedLines extends OutputStream {
    private static final Logger LOG = LoggerFactory.getLogger(PrintedLines.class);
    private static final int LONGEST = 1_000;
    /** Set while this thread writes the log. */
    private static final ThreadLocal<Boolean> LOGGING = ThreadLocal.withInitial(() -> false);

    private final OutputStream out;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /** Passes the log through to the given stream. */
    public PrintedLines(OutputStream out) {
        this.out = out;
    }

    /** Runs code that writes the log. */
    static void logging(Runnable write) {
        LOGGING.set(true);
        try {
            write.run();
        } finally {
            LOGGING.set(false);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        if (LOGGING.get()) {
            out.write(bytes, offset, length);
        } else {
            super.write(bytes, offset, length);
        }
    }

    @Override
    public void write(int next) throws IOException {
        if (LOGGING.get()) {
            out.write(next);
            return;
        }
        String text;
        synchronized (line) {
            if (next != '\n' && next != '\r') {
                if (line.size() < LONGEST) {
                    line.write(next);
                }
                return;
            }
            text = line.toString(StandardCharsets.UTF_8);
            line.reset();
        }
        if (!text.isBlank()) {
            LOG.info("a plugin or a library printed: {}", FailureText.guarded(text));
        }
    }
}
