package io.urunner.agent.cli;

import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.run.OnceReport;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "once",
        description = {
            "Look at everything once, start the rollouts that are due, and print what was decided.",
            "Rollouts are not waited for."
        })
final class OnceCommand implements Callable<Integer> {
    private static final String NONE = "-";

    private final CommandContext context;

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "How long it may take in all; the default is ${DEFAULT-VALUE}.")
    private int timeout;

    OnceCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        if (timeout <= 0) {
            throw new CommandException("--timeout is a number of seconds above 0", ExitCode.WRONG_CONFIGURATION);
        }
        OnceReport report;
        try (Wiring.AgentProcess agent = context.wiring().agent(settings.load(context, false), context.environment())) {
            report = agent.once(Duration.ofSeconds(timeout));
        }
        Table table = new Table("WORKLOAD", "CONTAINER", "REFERENCE", "DIGEST", "DECISION", "REASON");
        for (OnceReport.Row row : report.rows()) {
            table.row(
                    row.workload(),
                    row.container(),
                    row.reference().orElse(NONE),
                    row.digest().orElse(NONE),
                    row.decision(),
                    row.reason());
        }
        table.print(context.out());
        report.hindrances().forEach(hindrance -> context.err().println("urunner: " + hindrance));
        return report.hindrances().isEmpty() ? ExitCode.OK : ExitCode.HINDERED;
    }
}
