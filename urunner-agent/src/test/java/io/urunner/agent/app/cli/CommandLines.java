package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/** Parses the program's command lines without running them. */
public final class CommandLines {
    private CommandLines() {}

    /** The context of commands that are not run. */
    @SuppressWarnings("DataFlowIssue") // nothing is built for them
    static CommandContext context() {
        return context(null);
    }

    private static CommandContext context(Wiring wiring) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        return new CommandContext(Map.of(), nowhere, nowhere, wiring, () -> {});
    }

    /** Parses the words after {@code urunner} as the program does, and throws what the parser throws. */
    public static void parse(Wiring wiring, List<String> words) {
        Cli.commandLine(context(wiring)).parseArgs(words.toArray(String[]::new));
    }
}
