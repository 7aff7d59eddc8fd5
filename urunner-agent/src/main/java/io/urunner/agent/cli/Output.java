package io.urunner.agent.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.agent.text.Printable;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** The option {@code --output} of commands that tell something: a table for people, or JSON for machines. */
final class Output {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "${COMPLETION-CANDIDATES}; the default is ${DEFAULT-VALUE}.")
    private Format format = Format.TEXT;

    private enum Format {
        TEXT,
        JSON;

        /** As it is written on the command line. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whether JSON is asked for. */
    boolean json() {
        return format == Format.JSON;
    }

    /** Prints in the form that is asked for; the other one is not made. */
    void print(PrintWriter out, Supplier<Table> table, Supplier<JsonNode> json) {
        if (json()) {
            out.print(pretty(json.get()));
        } else {
            table.get().print(out);
        }
    }

    /** JSON as it is printed: indented, with a new line at its end, and harmless. */
    static String pretty(JsonNode json) {
        return Printable.json(json).toPrettyString() + "\n";
    }
}
