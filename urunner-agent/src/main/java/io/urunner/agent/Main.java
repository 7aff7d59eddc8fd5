package io.urunner.agent;

import io.urunner.agent.cli.Cli;
import io.urunner.agent.cli.CommandContext;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;

/** The program: nothing but the process around the command line. */
public final class Main {
    private Main() {}

    /**
     * Runs the command that the arguments name, and exits with its code.
     *
     * @param arguments the words of the command line
     */
    public static void main(String[] arguments) {
        ProcessTermination termination = new ProcessTermination();
        int code;
        try (Composition composition = new Composition()) {
            code = Cli.execute(
                    new CommandContext(
                            System.getenv(),
                            writer(FileDescriptor.out),
                            writer(FileDescriptor.err),
                            composition,
                            termination),
                    arguments);
        }
        Runtime.getRuntime().exit(code);
    }

    private static PrintWriter writer(FileDescriptor descriptor) {
        return new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(descriptor), Charset.defaultCharset()), true);
    }
}
