package io.urunner.agent.cli;

import java.io.PrintWriter;
import java.util.Map;

/**
 * What commands get from the program around them. Immutable.
 *
 * @param environment the environment variables
 * @param out for what a command is asked for
 * @param err for everything else
 * @param wiring builds what commands work with
 * @param termination what ends commands that run until they are told to end
 */
public record CommandContext(
        Map<String, String> environment, PrintWriter out, PrintWriter err, Wiring wiring, Termination termination) {
    public CommandContext {
        environment = Map.copyOf(environment);
    }

    /**
     * The same in another environment.
     *
     * @param variables the environment variables, all of them
     * @return the context
     */
    public CommandContext withEnvironment(Map<String, String> variables) {
        return new CommandContext(variables, out, err, wiring, termination);
    }

    /**
     * The same, printing elsewhere.
     *
     * @param newOut for what a command is asked for
     * @param newErr for everything else
     * @return the context
     */
    public CommandContext withOutput(PrintWriter newOut, PrintWriter newErr) {
        return new CommandContext(environment, newOut, newErr, wiring, termination);
    }
}
