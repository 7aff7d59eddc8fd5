package io.urunner.agent.app.cli;

import io.urunner.agent.text.Printable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Text in columns that fits the terminal: columns are as wide as their widest cell while there is room, then cells are
 * wrapped, first those of the last column, which has the longest texts; one that is too long for that goes below its row,
 * as wide as the terminal. Where there is no room even so, each row becomes a few lines of its own. For one thread.
 */
final class Table {
    /** Where lines may be of any length: what is longer than this does not make all other rows as long. */
    private static final int WIDEST = 120;

    private static final int GAP = 2;
    /** A narrower column is hard to read. */
    private static final int NARROWEST = 12;
    /** A text that needs more lines than this goes below the others. */
    private static final int BESIDE = 3;
    /** Of words that are wrapped, so that others are not broken. */
    private static final int SHORTEST_LINE = 5;

    private final int mostLines;
    private final List<List<String>> rows = new ArrayList<>();

    /** A table whose cells are printed whole. */
    Table(String... header) {
        this(Integer.MAX_VALUE, List.of(header));
    }

    /** A table whose cells are cut after so many lines if lines have a maximum length. */
    Table(int mostLines, List<String> header) {
        this.mostLines = mostLines;
        rows.add(List.copyOf(header));
    }

    /** Adds a row with as many cells as the header has. */
    void row(String... cells) {
        if (cells.length != rows.get(0).size()) {
            throw new IllegalArgumentException("a row has a cell for each column");
        }
        rows.add(Stream.of(cells).map(Printable::line).toList());
    }

    void print(PrintWriter out, Form form) {
        int[] widths = new int[rows.get(0).size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], TextWidth.of(row.get(i)));
            }
        }
        if (form.wide()) {
            rows.forEach(row -> print(
                    out,
                    line(
                            row,
                            IntStream.of(widths)
                                    .map(width -> Math.min(WIDEST, width))
                                    .toArray())));
        } else if (fit(widths, form.width())) {
            rows.forEach(row -> wrapped(row, widths, form.width()).forEach(line -> print(out, line)));
        } else {
            records(form.width()).forEach(line -> print(out, line));
        }
    }

    /** A line of what is harmless already: a piece of a text may look like a secret that the whole is not. */
    static void print(PrintWriter out, String line) {
        out.print(line + "\n");
    }

    /** Makes columns narrower until all fit; false if they would become too narrow. */
    private boolean fit(int[] widths, int width) {
        int last = widths.length - 1;
        int room = width - GAP * last;
        int others = IntStream.of(widths).sum() - widths[last];
        widths[last] = Math.min(widths[last], Math.max(room - others, Math.max(NARROWEST, width / 3)));
        if (fitAtWords(widths, room)) {
            return true;
        }
        int level = width;
        while (IntStream.of(widths).sum() > room) {
            level--;
            if (level < NARROWEST) {
                return false;
            }
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.min(widths[i], level);
            }
        }
        return true;
    }

    /** Makes columns narrower only as far as no word of theirs is broken; changes nothing if that is not enough. */
    private boolean fitAtWords(int[] widths, int room) {
        int[] narrow = widths.clone();
        for (int level = IntStream.of(widths).max().orElse(0);
                IntStream.of(narrow).sum() > room;
                level--) {
            if (level < SHORTEST_LINE) {
                return false;
            }
            for (int i = 0; i < narrow.length; i++) {
                narrow[i] = Math.min(narrow[i], Math.max(level, longestWord(i)));
            }
        }
        System.arraycopy(narrow, 0, widths, 0, narrow.length);
        return true;
    }

    private int longestWord(int column) {
        return rows.stream()
                .flatMap(row -> Stream.of(row.get(column).split(" ", -1)))
                .mapToInt(TextWidth::of)
                .max()
                .orElse(0);
    }

    private List<String> wrapped(List<String> row, int[] widths, int width) {
        int last = widths.length - 1;
        if (TextWidth.wrap(row.get(last), widths[last], Integer.MAX_VALUE).size() <= BESIDE) {
            return beside(row, widths);
        }
        List<String> lines = new ArrayList<>();
        if (!row.subList(0, last).stream().allMatch(String::isEmpty)) {
            List<String> others = new ArrayList<>(row.subList(0, last));
            others.add("");
            lines.addAll(beside(others, widths));
        }
        TextWidth.wrap(row.get(last), width - GAP, mostLines).forEach(line -> lines.add(" ".repeat(GAP) + line));
        return lines;
    }

    private List<String> beside(List<String> row, int[] widths) {
        List<List<String>> cells = new ArrayList<>();
        int height = 1;
        for (int i = 0; i < widths.length; i++) {
            List<String> cell = TextWidth.wrap(row.get(i), widths[i], mostLines);
            cells.add(cell);
            height = Math.max(height, cell.size());
        }
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < height; at++) {
            int of = at;
            lines.add(line(
                    cells.stream()
                            .map(cell -> of < cell.size() ? cell.get(of) : "")
                            .toList(),
                    widths));
        }
        return lines;
    }

    private static String line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(cells.get(i));
            if (i < widths.length - 1) {
                line.append(" ".repeat(Math.max(0, widths[i] - TextWidth.of(cells.get(i))) + GAP));
            }
        }
        return line.toString().stripTrailing();
    }

    /** Each cell after the name of its column. */
    private List<String> records(int width) {
        List<String> header = rows.get(0);
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows.subList(1, rows.size())) {
            if (!lines.isEmpty()) {
                lines.add("");
            }
            int indent = header.stream().mapToInt(TextWidth::of).max().orElse(0);
            for (int i = 0; i < header.size(); i++) {
                if (!row.get(i).isEmpty()) {
                    lines.addAll(field(header.get(i), indent, row.get(i), width, mostLines));
                }
            }
        }
        return lines;
    }

    /** A text after its name, in as many lines as it needs. */
    static List<String> field(String name, int indent, String text, int width, int mostLines) {
        List<String> lines = new ArrayList<>();
        String before = name + " ".repeat(Math.max(0, indent - TextWidth.of(name)) + GAP);
        for (String line : TextWidth.wrap(text, Math.max(NARROWEST, width - indent - GAP), mostLines)) {
            lines.add((before + line).stripTrailing());
            before = " ".repeat(indent + GAP);
        }
        return lines;
    }
}
