package io.urunner.agent;

import io.urunner.agent.config.FailureText;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs what is printed, line by line; of a long line the beginning. Thread-safe. */
final class PrintedLines extends OutputStream {
    private static final Logger LOG = LoggerFactory.getLogger(PrintedLines.class);
    private static final int LONGEST = 1_000;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    @Override
    public synchronized void write(int next) {
        if (next != '\n' && next != '\r') {
            if (line.size() < LONGEST) {
                line.write(next);
            }
            return;
        }
        if (line.size() > 0) {
            String text = line.toString(StandardCharsets.UTF_8);
            line.reset();
            LOG.info("a plugin or a library printed: {}", FailureText.guarded(text));
        }
    }
}
