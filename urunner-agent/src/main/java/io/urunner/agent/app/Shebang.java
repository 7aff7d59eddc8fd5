package io.urunner.agent.app;

import java.util.Arrays;

/**
 * {@link Main} for a program file that begins with {@code #!}: the kernel puts the file's own path before the words of the
 * command line.
 */
public final class Shebang {
    private Shebang() {}

    /**
     * Runs the command.
     *
     * @param arguments the program file, then the words of the command line
     */
    public static void main(String[] arguments) {
        Main.main(Arrays.copyOfRange(arguments, 1, arguments.length));
    }
}
