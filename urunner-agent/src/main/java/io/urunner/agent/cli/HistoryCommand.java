package io.urunner.agent.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.rollback.Histories;
import io.urunner.agent.rollback.HistoryReport;
import io.urunner.agent.rollback.RefusedException;
import io.urunner.agent.rollback.Surroundings;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStores;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "history",
        description =
                "Print the digests that a tag had: when, what they are, who runs them, and whether the registry has them.")
final class HistoryCommand extends ByHandCommand {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NONE = "-";

    @Parameters(
            paramLabel = WorkloadArgument.LABEL + "|IMAGE",
            description = "A workload, " + WorkloadArgument.FORM + "; or an image reference.")
    private String subject = "";

    @Mixin
    private final Output output = new Output();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    HistoryCommand(CommandContext context) {
        super(context);
    }

    @Override
    int run(Surroundings with) throws RefusedException, KubeException, InterruptedException {
        Set<String> warnings = new LinkedHashSet<>();
        HistoryReport report;
        // A look neither makes a database nor brings it to this version.
        try (DigestStore reading = DigestStores.readOnly(with.store())) {
            report = report(new Histories(with.with(reading), warnings::add));
        }
        warnings.forEach(warning -> context.err().println("urunner: " + warning));
        if (output.json()) {
            context.out().print(Output.pretty(json(report)));
        } else {
            text(report);
        }
        return ExitCode.OK;
    }

    private HistoryReport report(Histories histories) throws RefusedException, KubeException, InterruptedException {
        Optional<WorkloadId> workload = workload();
        if (workload.isPresent()) {
            return histories.of(workload.get());
        }
        ImageReference image;
        try {
            image = ImageReference.parse(subject);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(),
                    "'" + subject + "' is neither a workload (" + WorkloadArgument.LABEL + ") nor an image: "
                            + e.getMessage(),
                    e);
        }
        return histories.of(image);
    }

    /** An image may have three parts, too: only a kind in the middle makes a workload. */
    private Optional<WorkloadId> workload() {
        try {
            return Optional.of(WorkloadId.parse(subject));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private void text(HistoryReport report) {
        report.hold()
                .ifPresent(hold -> print("held since " + time(hold.since()) + " by " + hold.by()
                        + (hold.untilNextPush() ? " until the next push" : "")));
        for (HistoryReport.Tag tag : report.tags()) {
            print(tag.container().map(name -> "container " + name + ": ").orElse("") + tag.reference());
            Table table = new Table(
                    "BACK", "DIGEST", "SINCE", "FOR", "REVISION", "VERSION", "OUTCOME", "RESTORABLE", "RUN BY");
            for (HistoryReport.Row row : tag.digests()) {
                table.row(
                        row.back().map(steps -> steps == 0 ? "0" : "-" + steps).orElse(""),
                        row.digest(),
                        row.firstSeen().map(HistoryCommand::time).orElse(NONE),
                        stay(row),
                        label(row, ImageLabels::revision),
                        label(row, ImageLabels::version),
                        row.outcome().orElse(NONE),
                        row.restorable(),
                        row.workloads().isEmpty() ? NONE : String.join(", ", row.workloads()));
            }
            table.print(context.out());
            tag.digests().stream()
                    .map(HistoryReport.Row::why)
                    .filter(why -> !why.isEmpty())
                    .distinct()
                    .forEach(why -> context.err().println("urunner: " + why));
        }
    }

    private static String label(HistoryReport.Row row, Function<ImageLabels, Optional<String>> label) {
        return row.labels().flatMap(label).orElse(NONE);
    }

    private static String time(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String stay(HistoryReport.Row row) {
        if (row.firstSeen().isEmpty() || row.lastSeen().isEmpty()) {
            return NONE;
        }
        Duration stay = Duration.between(row.firstSeen().get(), row.lastSeen().get());
        if (stay.toHours() >= 48) {
            return stay.toDays() + "d";
        } else if (stay.toMinutes() >= 120) {
            return stay.toHours() + "h";
        }
        return stay.toSeconds() >= 120 ? stay.toMinutes() + "m" : stay.toSeconds() + "s";
    }

    private static ObjectNode json(HistoryReport report) {
        ObjectNode root = JSON.createObjectNode();
        report.workload().ifPresent(workload -> root.put("workload", workload));
        report.hold()
                .ifPresent(hold -> root.putObject("hold")
                        .put("since", hold.since().toString())
                        .put("by", hold.by())
                        .put("untilNextPush", hold.untilNextPush()));
        ArrayNode tags = root.putArray("tags");
        for (HistoryReport.Tag tag : report.tags()) {
            ObjectNode one = tags.addObject();
            tag.container().ifPresent(container -> one.put("container", container));
            one.put("reference", tag.reference());
            ArrayNode digests = one.putArray("digests");
            tag.digests().forEach(row -> json(row, digests.addObject()));
        }
        return root;
    }

    private static void json(HistoryReport.Row row, ObjectNode one) {
        row.back().ifPresent(steps -> one.put("back", steps));
        one.put("digest", row.digest());
        row.firstSeen().ifPresent(time -> one.put("firstSeen", time.toString()));
        row.lastSeen().ifPresent(time -> one.put("lastSeen", time.toString()));
        row.labels().ifPresent(labels -> {
            labels.revision().ifPresent(text -> one.put("revision", text));
            labels.version().ifPresent(text -> one.put("version", text));
            labels.created().ifPresent(time -> one.put("created", time.toString()));
        });
        row.outcome().ifPresent(text -> one.put("outcome", text));
        ArrayNode workloads = one.putArray("workloads");
        row.workloads().forEach(workloads::add);
        one.put("restorable", row.restorable());
        if (!row.why().isEmpty()) {
            one.put("why", row.why());
        }
    }
}
