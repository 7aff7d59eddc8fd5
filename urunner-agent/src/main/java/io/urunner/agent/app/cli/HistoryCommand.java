package io.urunner.agent.app.cli;

import io.urunner.agent.app.rollback.Histories;
import io.urunner.agent.app.rollback.HistoryReport;
import io.urunner.agent.app.rollback.RefusedException;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeException;
import io.urunner.kube.KubeName;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "history",
        description =
                "Print the digests that a tag has had: when, their versions, which workloads run them, and whether the registry still has them.")
final class HistoryCommand extends ByHandCommand {
    private static final String NONE = "-";
    private static final int SHORT = 12;

    @Parameters(
            paramLabel = WorkloadName.LABEL + "|IMAGE",
            description = "A workload, " + WorkloadName.FORM + "; or an image reference.")
    private String subject = "";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    HistoryCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(With with) throws RefusedException, KubeException, CommandException, InterruptedException {
        Set<String> warnings = new LinkedHashSet<>();
        HistoryReport report;
        // Reading neither creates nor migrates the database.
        try (DigestStore reading = DigestStores.readOnly(with.surroundings().store())) {
            report = report(new Histories(with.surroundings().with(reading), warnings::add), with);
        }
        warnings.forEach(warning -> context.err().println("urunner: " + warning));
        boolean known = report.tags().stream().anyMatch(tag -> !tag.digests().isEmpty());
        if (!known && report.workload().isEmpty()) {
            throw new CommandException(
                    "no digest of the image " + report.tags().get(0).reference() + " is known" + meant(with),
                    ExitCode.HINDERED);
        }
        if (form().structured()) {
            context.out().print(form().print(report));
        } else {
            text(report, with.surroundings().now());
        }
        return known || report.tags().isEmpty() ? ExitCode.OK : ExitCode.HINDERED;
    }

    /** What looks like an image may be a workload without its kind. */
    private String meant(With with) {
        String name = subject.substring(subject.lastIndexOf('/') + 1);
        return KubeName.isOfObject(name) ? with.surroundings().didYouMean(name) : "";
    }

    private HistoryReport report(Histories histories, With with)
            throws RefusedException, KubeException, CommandException, InterruptedException {
        Optional<WorkloadName> named = named();
        if (named.isPresent()) {
            return histories.of(workload(named.get(), with));
        }
        ImageReference image;
        try {
            image = ImageReference.parse(subject);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    "'" + subject + "' is neither a workload (" + WorkloadName.LABEL + ") nor an image: "
                            + e.getMessage(),
                    e);
        }
        return histories.of(image);
    }

    /** An image can have as many parts: only a kind before the name makes it a workload. */
    private Optional<WorkloadName> named() {
        try {
            return Optional.of(WorkloadName.parse(subject))
                    .filter(name -> name.kind().isPresent());
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private void text(HistoryReport report, Instant now) {
        report.hold()
                .ifPresent(hold -> print("held since " + Phrases.time(hold.since()) + " by " + hold.by()
                        + hold.reason().map(why -> " because " + why).orElse("")
                        + (hold.untilNextPush() ? " until the next push" : "")));
        if (report.tags().isEmpty()) {
            print(report.workload().orElse("") + " has no container that follows a tag");
        }
        for (HistoryReport.Tag tag : report.tags()) {
            print(tag.container().map(name -> "container " + name + ": ").orElse("") + tag.reference());
            if (tag.digests().isEmpty()) {
                print("no digest of it is known");
                continue;
            }
            (form().wide() ? wide(tag) : table(tag, now)).print(context.out(), form());
            tag.digests().stream()
                    .flatMap(row -> row.why().stream())
                    .distinct()
                    .forEach(why -> context.err().println("urunner: " + why));
        }
    }

    private static Table table(HistoryReport.Tag tag, Instant now) {
        Table table = new Table("BACK", "DIGEST", "SINCE", "VERSION", "OUTCOME", "RESTORABLE", "RUN BY");
        for (HistoryReport.Row row : tag.digests()) {
            table.row(
                    back(row),
                    row.digest().replaceFirst("^sha256:(.{" + SHORT + "}).*", "$1"),
                    row.firstSeen().map(time -> Phrases.when(now, time)).orElse(NONE),
                    row.version().orElse(NONE),
                    row.outcome().orElse(NONE),
                    row.restorable(),
                    workloads(row));
        }
        return table;
    }

    private static Table wide(HistoryReport.Tag tag) {
        Table table =
                new Table("BACK", "DIGEST", "SINCE", "FOR", "REVISION", "VERSION", "OUTCOME", "RESTORABLE", "RUN BY");
        for (HistoryReport.Row row : tag.digests()) {
            table.row(
                    back(row),
                    row.digest(),
                    row.firstSeen().map(Phrases::time).orElse(NONE),
                    stay(row),
                    row.revision().orElse(NONE),
                    row.version().orElse(NONE),
                    row.outcome().orElse(NONE),
                    row.restorable(),
                    workloads(row));
        }
        return table;
    }

    private static String back(HistoryReport.Row row) {
        return row.back().map(steps -> steps == 0 ? "0" : "-" + steps).orElse("");
    }

    private static String workloads(HistoryReport.Row row) {
        return row.workloads().isEmpty() ? NONE : String.join(", ", row.workloads());
    }

    private static String stay(HistoryReport.Row row) {
        return row.firstSeen().isEmpty() || row.lastSeen().isEmpty()
                ? NONE
                : Phrases.span(
                        Duration.between(row.firstSeen().get(), row.lastSeen().get()));
    }
}
