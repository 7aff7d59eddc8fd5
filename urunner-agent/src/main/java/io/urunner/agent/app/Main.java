package io.urunner.agent.app;

import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.logging.Logging;
import io.urunner.agent.app.logging.PrintedLines;
import io.urunner.agent.app.process.ProcessProxies;
import io.urunner.agent.app.process.ProcessTermination;
import io.urunner.agent.text.Printable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The program: only the process around the command line. */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);

    private Main() {}

    /**
     * Runs the command that the arguments name, and exits with its code.
     *
     * @param arguments the words of the command line
     */
    public static void main(String[] arguments) {
        PrintWriter err = writer(FileDescriptor.err);
        Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> uncaught(thread, failure, err));
        ProcessTermination termination = new ProcessTermination();
        System.setOut(printed(FileDescriptor.out));
        System.setErr(printed(FileDescriptor.err));
        ProcessProxies.install(System.getenv());
        int code;
        try (Composition composition = new Composition()) {
            code = Cli.execute(
                    new CommandContext(System.getenv(), writer(FileDescriptor.out), err, composition, termination),
                    arguments);
        }
        Runtime.getRuntime().exit(code);
    }

    /** Instead of the JVM's own output, which would contain the failure's message unsanitised. */
    private static void uncaught(Thread thread, Throwable failure, PrintWriter err) {
        LOG.error("the thread {} ended; this is a defect of URunner", thread.getName(), failure);
        if (!Logging.isConfigured()) {
            err.println(Printable.line("urunner: failed unexpectedly: " + failure));
        }
    }

    private static PrintStream printed(FileDescriptor descriptor) {
        return new PrintStream(new PrintedLines(new FileOutputStream(descriptor)), true, Charset.defaultCharset());
    }

    private static PrintWriter writer(FileDescriptor descriptor) {
        return new PrintWriter(
                new OutputStreamWriter(new FileOutputStream(descriptor), Charset.defaultCharset()), true);
    }
}
