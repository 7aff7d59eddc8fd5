package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.util.Map;

/**
 * What commands get from the program. Immutable.
 *
 * @param environment the environment variables
 * @param out for the result; output is made harmless
 * @param err for everything else; made harmless, too
 * @param wiring builds what commands work with
 * @param termination stops commands that run until they are stopped
 */
public record CommandContext(
        Map<String, String> environment, PrintWriter out, PrintWriter err, Wiring wiring, Termination termination) {
    public CommandContext {
        environment = Map.copyOf(environment);
        out = Terminal.on(out);
        err = Terminal.on(err);
    }

    /** The same with other environment variables. */
    CommandContext with(Map<String, String> variables) {
        return new CommandContext(variables, out, err, wiring, termination);
    }
}
