package io.urunner.agent.app.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.app.rollback.Operator;
import io.urunner.agent.app.rollback.RefusedException;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.text.Printable;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Base of the commands that change a workload on behalf of a user. */
abstract class ChangeCommand extends ByHandCommand {
    private static final int LONGEST_NAME = 128;
    private static final int LONGEST_REASON = 256;

    @Parameters(
            paramLabel = WorkloadName.LABEL,
            converter = WorkloadName.Converter.class,
            description = "The workload, " + WorkloadName.FORM + ".")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private WorkloadName workload;

    @Option(
            names = "--as",
            paramLabel = "NAME",
            description = {
                "Who makes the change, as a note for others; the default is SUDO_USER, then the kubeconfig's user.",
                "Required in a pod, where the user is not known."
            })
    private @Nullable String name;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, as a note for others.")
    private @Nullable String reason;

    @Option(
            names = "--dry-run",
            description = "Check everything, and print what would be done and the patch, without changing anything.")
    private boolean dryRun;

    @Option(
            names = "--timeout",
            paramLabel = Timeout.LABEL,
            converter = Timeout.class,
            defaultValue = "15m",
            description = "How long to follow the rollout, " + Timeout.FORM + "; the default is ${DEFAULT-VALUE}.")
    private Duration timeout = Duration.ZERO;

    ChangeCommand(CommandContext context) {
        super(context);
    }

    /** Makes the change. */
    abstract Operator.Result change(Operator operator, WorkloadId id, boolean isDryRun, With with)
            throws RefusedException, KubeException, CommandException, InterruptedException;

    @Override
    Duration timeout() {
        return timeout;
    }

    @Override
    int run(With with) throws RefusedException, KubeException, CommandException, InterruptedException {
        WorkloadId id = workload(workload, with);
        Operator.Person person = new Operator.Person(
                name(with), reason == null ? Optional.empty() : Optional.of(said("--reason", reason, LONGEST_REASON)));
        Operator operator = new Operator(with.surroundings(), person, this::tell);
        Operator.Result result = change(operator, id, dryRun, with);
        if (form().structured()) {
            context.out().print(form().print(new Document(id, person, result)));
        } else if (dryRun && result.patch().isPresent()) {
            print("nothing was changed; this would be done: " + result.words());
            print("");
            print("# the annotations urunner.io/digests and urunner.io/state contain JSON, shown here as YAML");
            context.out()
                    .print(Yaml.of(
                            Printable.json(readable(Json.parse(result.patch().get())))));
        }
        return result.outcome()
                .filter(outcome -> !(outcome instanceof Outcome.Succeeded))
                .map(outcome -> ExitCode.HINDERED)
                .orElse(ExitCode.OK);
    }

    /** Prints progress; to stderr if the result is for machines. */
    void tell(String line) {
        if (form().structured()) {
            context.err().println("urunner: " + line);
            context.err().flush();
        } else {
            print(line);
        }
    }

    private String name(With with) throws CommandException {
        Optional<String> known = Optional.ofNullable(name)
                .or(() -> Optional.ofNullable(context.environment().get("SUDO_USER"))
                        .filter(user -> !user.isBlank()))
                .or(() -> with.caller().user().filter(user -> !user.isBlank()));
        if (known.isEmpty() && dryRun) {
            return "somebody";
        }
        return said(
                "--as",
                known.orElseThrow(() -> new CommandException(
                        "set --as to your name: in a pod only its service account is known",
                        ExitCode.WRONG_CONFIGURATION)),
                LONGEST_NAME);
    }

    /** A text that is stored on the workload. */
    private static String said(String option, String text, int longest) throws CommandException {
        if (text.isBlank() || text.length() > longest) {
            throw new CommandException(
                    option + " must have 1 to " + longest + " characters, not "
                            + text.strip().length(),
                    ExitCode.WRONG_CONFIGURATION);
        }
        return Printable.line(text.strip());
    }

    record Document(
            WorkloadId workload,
            String by,
            Optional<String> reason,
            boolean changed,
            String words,
            Optional<JsonNode> patch,
            Optional<String> outcome,
            Optional<String> message) {
        Document(WorkloadId id, Operator.Person person, Operator.Result result) {
            this(
                    id,
                    person.name(),
                    person.reason(),
                    result.changed(),
                    result.words(),
                    result.patch().map(Json::parse),
                    result.outcome().map(Outcome::name),
                    result.outcome().map(Outcome::words));
        }
    }

    /** Replaces texts that contain JSON by that JSON. */
    private static JsonNode readable(JsonNode patch) {
        if (patch.isTextual() && patch.textValue().startsWith("{")) {
            return Json.parse(patch.textValue());
        }
        if (patch instanceof ObjectNode object) {
            object.properties().forEach(each -> each.setValue(readable(each.getValue())));
        }
        return patch;
    }
}
