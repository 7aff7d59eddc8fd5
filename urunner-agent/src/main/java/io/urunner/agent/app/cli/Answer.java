package io.urunner.agent.app.cli;

/**
 * The output of a command, whether it comes from the command itself or from a running agent.
 *
 * @param text the text, ending with a new line
 * @param code the exit code, one of {@link ExitCode}
 */
public record Answer(String text, int code) {
    /** The HTTP header with the exit code; it also shows a command that an agent answered. */
    public static final String EXIT_CODE = "Urunner-Exit-Code";

    /** The HTTP header in which a standby agent names the pod of the active one. */
    public static final String LEADER = "Urunner-Leader";
}
