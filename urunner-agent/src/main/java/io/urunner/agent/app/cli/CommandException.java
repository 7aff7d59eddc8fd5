package io.urunner.agent.app.cli;

/** A command failed. Users see only the message. */
public final class CommandException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /**
     * A failure.
     *
     * @param message what went wrong, and what to do
     * @param exitCode one of {@link ExitCode}
     */
    public CommandException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    /**
     * A failure with its cause.
     *
     * @param message what went wrong, and what to do
     * @param exitCode one of {@link ExitCode}
     * @param cause the cause, for the log
     */
    public CommandException(String message, int exitCode, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    /**
     * The exit code.
     *
     * @return one of {@link ExitCode}
     */
    public int exitCode() {
        return exitCode;
    }
}
