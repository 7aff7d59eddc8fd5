package io.urunner.agent.app.cli;

/**
 * What a command prints, wherever it is found out: by the command itself or by a running agent that it asks.
 *
 * @param text the text, ending with a new line
 * @param code the exit code, one of {@link ExitCode}
 */
public record Answer(String text, int code) {
    /** The HTTP header that tells a command that an agent answers, and the exit code that belongs to the answer. */
    public static final String EXIT_CODE = "Urunner-Exit-Code";

    /** The HTTP header with which an agent that stands by names the pod of the one that acts. */
    public static final String LEADER = "Urunner-Leader";
}
