package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** The options for the form of the output: a table for people, or JSON or YAML for machines. */
final class Output {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "${COMPLETION-CANDIDATES}; the default is ${DEFAULT-VALUE}, as wide as COLUMNS, or 80.")
    private Form.Format format = Form.Format.TEXT;

    @Option(names = "--wide", description = "The same as -o wide: all details, in lines of any length.")
    private boolean wide;

    /** The requested form. */
    Form form(CommandContext context) {
        return Form.of(wide && format == Form.Format.TEXT ? Form.Format.WIDE : format, context.environment());
    }

    /** Prints in the requested form; the other one is not created. */
    void print(CommandContext context, Supplier<Table> table, Supplier<Record> document) {
        Form form = form(context);
        PrintWriter out = context.out();
        if (form.structured()) {
            out.print(form.print(document.get()));
        } else {
            table.get().print(out, form);
        }
    }
}
