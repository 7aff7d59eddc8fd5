package io.urunner.agent.app.cli;

import java.io.PrintWriter;
import java.util.Map;

/**
 * What commands get from the program around them. Immutable.
 *
 * @param environment the environment variables
 * @param out for what a command is asked for; what is printed there is made harmless
 * @param err for everything else, made harmless too
 * @param wiring builds what commands work with
 * @param termination what ends commands that run until they are told to end
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
