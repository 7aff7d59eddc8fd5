package io.urunner.agent.app.cli;

import io.urunner.agent.text.Printable;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;

/**
 * What commands print on. What {@link #println(String)} is given is one line, regardless of its content; anything else
 * that is printed keeps its line breaks, and holds nothing that a terminal would obey. For one thread.
 */
final class Terminal extends PrintWriter {
    /** A row of a table has room for ten cells. */
    private static final int LONGEST = 16 * Printable.LINE;

    private Terminal(Writer out) {
        super(out, true);
    }

    /** A terminal that prints on a writer. */
    static Terminal on(Writer out) {
        return out instanceof Terminal terminal ? terminal : new Terminal(new Harmless(out));
    }

    @Override
    public void println(String line) {
        super.println(Printable.line(String.valueOf(line), LONGEST));
    }

    /** Lets through what can be seen, and line breaks. */
    private static final class Harmless extends FilterWriter {
        private String half = "";

        Harmless(Writer out) {
            super(out);
        }

        @Override
        public void write(String text, int offset, int length) throws IOException {
            synchronized (lock) {
                String whole = half + text.substring(offset, offset + length);
                // The other half of such a character comes with the next call.
                int end = whole.length();
                if (end > 0 && Character.isHighSurrogate(whole.charAt(end - 1))) {
                    end--;
                }
                half = whole.substring(end);
                out.write(Printable.lines(whole.substring(0, end)));
            }
        }

        @Override
        public void write(char[] characters, int offset, int length) throws IOException {
            write(new String(characters, offset, length), 0, length);
        }

        @Override
        public void write(int character) throws IOException {
            write(String.valueOf((char) character), 0, 1);
        }
    }
}
