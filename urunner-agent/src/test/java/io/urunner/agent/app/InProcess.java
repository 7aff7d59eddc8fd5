package io.urunner.agent.app;

import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/** Runs a command of the program in this process. */
public final class InProcess {
    private InProcess() {}

    /** The output of a command, and its exit code. */
    public record Result(int code, String out, String err) {}

    public static Result run(Map<String, String> environment, String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        try (Composition composition = new Composition()) {
            int code = Cli.execute(
                    new CommandContext(
                            environment, new PrintWriter(out, true), new PrintWriter(err, true), composition, () -> {}),
                    arguments);
            return new Result(code, out.toString(), err.toString());
        }
    }
}
