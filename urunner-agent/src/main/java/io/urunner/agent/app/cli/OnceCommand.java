package io.urunner.agent.app.cli;

import io.urunner.agent.OnceReport;
import io.urunner.agent.app.config.ConfigurationException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "once",
        description = {
            "Check everything once, start the rollouts that are due, and print the decisions.",
            "It does not wait for the rollouts: the history calls them 'not followed' until an agent, or the next run,"
                    + " sees how they ended. It needs settings of its own, and never uses those of an agent."
        })
final class OnceCommand implements Callable<Integer> {
    private static final String NONE = "-";

    private final CommandContext context;

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    @Mixin
    private final Output output = new Output();

    @Option(
            names = "--timeout",
            paramLabel = Timeout.LABEL,
            converter = Timeout.class,
            defaultValue = "2m",
            description =
                    "The time limit for the whole command, " + Timeout.FORM + "; the default is ${DEFAULT-VALUE}.")
    private Duration timeout = Duration.ZERO;

    OnceCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        if (!Reach.hasSettings(context, settings)) {
            throw new CommandException(
                    "once does not use the settings of an agent in a cluster: give it its own (--config, --set,"
                            + " URUNNER_...); 'urunner explain' shows what a running agent does",
                    ExitCode.WRONG_CONFIGURATION);
        }
        OnceReport report;
        try (Wiring.AgentProcess agent = context.wiring().agent(settings.load(context, false), context.environment())) {
            report = agent.once(timeout);
        }
        if (output.form(context).structured()) {
            context.out().print(output.form(context).print(new Document(report)));
        } else if (!report.rows().isEmpty()) {
            table(report).print(context.out(), output.form(context));
        } else if (report.hindrances().isEmpty()) {
            context.out()
                    .println(
                            "nothing is tracked: label a namespace (kubectl label --overwrite namespace NAME urunner=enable)");
        }
        boolean forPeople = !output.form(context).structured();
        report.hindrances().stream()
                .filter(hindrance -> !(forPeople && isInTheTable(hindrance, report)))
                .forEach(hindrance -> context.err().println("urunner: " + hindrance));
        return report.hindrances().isEmpty() ? ExitCode.OK : ExitCode.HINDERED;
    }

    /** Tells whether the table contains the same text, for a workload or for all that use a registry. */
    private static boolean isInTheTable(String hindrance, OnceReport report) {
        String reason = hindrance.replaceFirst("^[^ ]+: ", "");
        return report.rows().stream().anyMatch(row -> row.reason().contains(reason));
    }

    private Table table(OnceReport report) {
        boolean wide = output.form(context).wide();
        Table table = wide
                ? new Table("WORKLOAD", "CONTAINER", "REFERENCE", "DIGEST", "DECISION", "REASON")
                : new Table("WORKLOAD", "CONTAINER", "DECISION", "REASON");
        for (OnceReport.Row row : report.rows()) {
            if (wide) {
                table.row(
                        row.workload(),
                        row.container(),
                        row.reference().orElse(NONE),
                        row.digest().orElse(NONE),
                        row.decision(),
                        row.reason());
            } else {
                table.row(row.workload(), row.container(), row.decision(), row.reason());
            }
        }
        return table;
    }

    record Document(List<OnceReport.Row> containers, List<String> hindrances) {
        Document(OnceReport report) {
            this(report.rows(), report.hindrances());
        }
    }
}
