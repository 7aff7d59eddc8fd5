package io.urunner.agent.app.cli;

import java.util.concurrent.Callable;

/**
 * A command that the command line does not know by name: found by {@link java.util.ServiceLoader}, so that nothing
 * imports it. Implementations have a public constructor without parameters that does nothing.
 */
public interface CommandProvider {
    /**
     * The command: an object annotated with picocli's {@code @Command}, that returns the exit code.
     *
     * @param context what it gets from the program
     * @return the command
     */
    Callable<Integer> command(CommandContext context);
}
