package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.Map;

/** The program's command lines, read and not run. */
public final class CommandLines {
    private CommandLines() {}

    /** Reads the words after {@code urunner} as the program does; what it would refuse is thrown. */
    public static void parse(Wiring wiring, List<String> words) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        Cli.commandLine(new CommandContext(Map.of(), nowhere, nowhere, wiring, () -> {}))
                .parseArgs(words.toArray(String[]::new));
    }
}
