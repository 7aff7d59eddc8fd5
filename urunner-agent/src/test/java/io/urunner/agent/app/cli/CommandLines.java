package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/** The program's command lines, read and not run. */
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

    /** Reads the words after {@code urunner} as the program does; what it would refuse is thrown. */
    public static void parse(Wiring wiring, List<String> words) {
        Cli.commandLine(context(wiring)).parseArgs(words.toArray(String[]::new));
    }
}
