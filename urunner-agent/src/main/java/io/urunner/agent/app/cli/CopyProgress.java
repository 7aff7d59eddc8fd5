package io.urunner.agent.app.cli;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.copy.CopyListener;
import io.urunner.registry.copy.CopyResult.Outcome;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Shows how far a copy has come: on a terminal a bar in one line, elsewhere a line for each manifest and blob, and nothing
 * beside output for machines. Thread-safe.
 */
final class CopyProgress implements CopyListener {
    private static final int BAR = 24;
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private final Optional<PrintWriter> terminal;
    private final Optional<PrintWriter> lines;
    private final int width;
    private final boolean dryRun;

    /** How much of each blob that is being copied was read. */
    private final Map<Digest, Long> parts = new HashMap<>();

    private int items;
    private long bytes;
    private int finished;
    private long done;
    private String shown = "";

    /**
     * Begins with nothing.
     *
     * @param terminal where the bar is drawn, if there is a terminal
     * @param err for the lines otherwise
     * @param form the form of the command's output
     * @param dryRun whether nothing is really copied
     */
    CopyProgress(Optional<PrintWriter> terminal, PrintWriter err, Form form, boolean dryRun) {
        this.dryRun = dryRun;
        this.terminal = form.structured() ? Optional.empty() : terminal;
        this.lines = form.structured() || terminal.isPresent() ? Optional.empty() : Optional.of(err);
        this.width = form.width();
    }

    @Override
    public synchronized void planned(int newItems, long newBytes) {
        items = newItems;
        bytes = newBytes;
        show();
    }

    @Override
    public synchronized void transferred(Descriptor blob, long more) {
        done += more;
        parts.merge(blob.digest(), more, Long::sum);
        show();
    }

    @Override
    public synchronized void finished(Descriptor content, Outcome outcome) {
        finished++;
        Long part = parts.remove(content.digest());
        done += content.size() - (part == null ? 0 : part);
        lines.ifPresent(out -> {
            boolean would = dryRun && outcome != Outcome.PRESENT;
            out.println(
                    (would ? "would be " : "") + word(outcome) + " " + content.digest() + " " + size(content.size()));
            out.flush();
        });
        show();
    }

    /** Draws the line again if it changed; our own words, so there is nothing in it to make harmless. */
    private void show() {
        if (terminal.isEmpty()) {
            return;
        }
        String line = line(finished, items, Math.max(0, Math.min(done, bytes)), bytes, width - 1);
        if (!line.equals(shown)) {
            PrintWriter out = terminal.get();
            out.print("\r" + line + " ".repeat(Math.max(0, shown.length() - line.length())));
            out.flush();
            shown = line;
        }
    }

    /** Removes the bar. */
    synchronized void end() {
        if (!shown.isEmpty()) {
            PrintWriter out = terminal.orElseThrow();
            out.print("\r" + " ".repeat(shown.length()) + "\r");
            out.flush();
            shown = "";
        }
    }

    /** The line, not wider than there is room: without the bar if it is narrow. */
    static String line(int finished, int items, long done, long bytes, int room) {
        int percent = bytes == 0 ? 100 : (int) (done * 100.0 / bytes);
        int full = BAR * percent / 100;
        String bar = "[" + "#".repeat(full) + ".".repeat(BAR - full) + "] ";
        String text = String.format(Locale.ROOT, "%3d%% ", percent) + finished + "/" + items + " " + size(bytes);
        String whole = bar + text;
        String line = whole.length() <= room ? whole : text;
        return line.length() <= room ? line : line.substring(0, Math.max(0, room));
    }

    /** A number of bytes for people. */
    static String size(long count) {
        double value = count;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? count + " B" : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** An outcome in a word. */
    static String word(Outcome outcome) {
        return outcome.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
