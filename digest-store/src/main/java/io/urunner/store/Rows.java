package io.urunner.store;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Rows for a table, any number of which is written by one statement or one prepared statement. For one thread. */
final class Rows {
    private final List<String> columns = new ArrayList<>();
    private final List<Boolean> texts = new ArrayList<>();
    private final List<@Nullable Object[]> rows = new ArrayList<>();

    /** Adds a column of whole numbers. */
    Rows number(String column) {
        columns.add(column);
        texts.add(false);
        return this;
    }

    /** Adds a column of texts. */
    Rows text(String column) {
        columns.add(column);
        texts.add(true);
        return this;
    }

    /** Adds a row: {@link Long}s and {@link String}s in the order of the columns, or nothing. */
    void add(@Nullable Object... values) {
        rows.add(values);
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    List<@Nullable Object[]> rows() {
        return rows;
    }

    int columns() {
        return columns.size();
    }

    String name(int column) {
        return columns.get(column);
    }

    boolean isText(int column) {
        return texts.get(column);
    }

    @Nullable Object[] column(int column) {
        @Nullable Object[] values = new Object[rows.size()];
        for (int row = 0; row < values.length; row++) {
            values[row] = rows.get(row)[column];
        }
        return values;
    }

    /** The beginning of the statement. */
    String insertInto(String table) {
        return columns.stream().collect(Collectors.joining(", ", "INSERT INTO " + table + " (", ") "));
    }
}
