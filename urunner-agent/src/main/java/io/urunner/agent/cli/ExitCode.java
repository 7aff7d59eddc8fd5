package io.urunner.agent.cli;

/** What the program's exit codes mean. */
public final class ExitCode {
    /** Done as asked. */
    public static final int OK = 0;
    /** A registry, a credential, a permission or the cluster kept the command from doing all that was asked. */
    public static final int HINDERED = 1;
    /** The command line or the configuration is wrong; nothing was done. */
    public static final int WRONG_CONFIGURATION = 2;

    private ExitCode() {}
}
