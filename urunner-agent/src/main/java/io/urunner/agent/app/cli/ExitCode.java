package io.urunner.agent.app.cli;

import java.util.List;

/** What the program's exit codes mean, for all commands. */
public final class ExitCode {
    /** Done as asked. */
    public static final int OK = 0;
    /** A registry, a credential, a permission or the cluster kept the command from doing all that was asked. */
    public static final int HINDERED = 1;
    /** The command line or the configuration is wrong; nothing was done. */
    public static final int WRONG_CONFIGURATION = 2;

    /** The same in words, as {@code urunner help} and docs/commands.md show them: by code. */
    static final List<String> MEANINGS = List.of(
            "done as asked, and nothing is wrong",
            "incomplete: a registry, a credential, a permission or the cluster prevented it, what was asked for is"
                    + " not there, doctor found a problem, or the rollout did not succeed",
            "the command line or the configuration is wrong; nothing was done");

    private ExitCode() {}
}
