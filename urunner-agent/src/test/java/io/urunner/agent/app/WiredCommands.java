package io.urunner.agent.app;

import io.urunner.agent.app.assembly.Composition;
import io.urunner.agent.app.cli.Cli;
import io.urunner.agent.app.cli.CommandContext;
import io.urunner.agent.app.cli.Termination;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Commands with the real wiring, in the process of the test, with a home directory of their own. */
abstract class WiredCommands {
    @TempDir
    Path folder;

    final Map<String, String> environment = new HashMap<>();
    final StringWriter out = new StringWriter();
    final StringWriter err = new StringWriter();

    @AutoClose
    private final Composition composition = new Composition();

    @BeforeEach
    void keepToTheFolder() {
        environment.put("HOME", folder.toString());
    }

    int run(String... arguments) {
        Termination never = () -> new CountDownLatch(1).await();
        return Cli.execute(
                new CommandContext(environment, new PrintWriter(out), new PrintWriter(err), composition, never),
                arguments);
    }
}
