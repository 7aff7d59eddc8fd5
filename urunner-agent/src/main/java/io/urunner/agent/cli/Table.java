package io.urunner.agent.cli;

import io.urunner.agent.text.Printable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Text in columns, each as wide as its widest cell; a cell is one line, whatever it is given. For one thread. */
final class Table {
    /** What is longer does not make all other rows as long. */
    private static final int WIDEST = 120;

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... header) {
        rows.add(List.of(header));
    }

    /** Adds a row with as many cells as the header has. */
    void row(String... cells) {
        if (cells.length != rows.get(0).size()) {
            throw new IllegalArgumentException("a row has a cell for each column");
        }
        rows.add(Stream.of(cells).map(Printable::line).toList());
    }

    void print(PrintWriter out) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], Math.min(WIDEST, row.get(i).length()));
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row.get(i));
                if (i < columns - 1) {
                    line.append(" ".repeat(Math.max(0, widths[i] - row.get(i).length()) + 2));
                }
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
