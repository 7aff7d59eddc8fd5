package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.kube.WorkloadId;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        description = {
            "Show the tracked workloads, their states, what was decided and why, or why something is not tracked.",
            "Asks the running agent; without one, checks the cluster, the registries and the history once, without"
                    + " changing anything."
        })
final class ExplainCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(
            arity = "0..1",
            paramLabel = WorkloadName.LABEL + "|NAMESPACE",
            converter = WorkloadName.Converter.class,
            description =
                    "A workload, " + WorkloadName.FORM + "; or a namespace. The default is all tracked workloads.")
    private @Nullable WorkloadName named;

    @Mixin
    private final NamespaceOption namespace = new NamespaceOption();

    @Mixin
    private final Selection selection = new Selection();

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final RunningAgents agents = new RunningAgents();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ExplainCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        Optional<Answer> told = reach.isNamed()
                ? Optional.empty()
                : agents.ask(context, settings, () -> "/status?" + view(context).query());
        Answer answer = told.isPresent() ? told.get() : look();
        context.out().print(answer.text());
        return answer.code();
    }

    private Answer look() throws ConfigurationException, CommandException, InterruptedException {
        try (Reach.With with = reach.with(context, settings)) {
            View view = view(with.context());
            Optional<Answer> told = with.ask("/status?" + view.query());
            if (told.isPresent()) {
                return told.get();
            }
            try (Wiring.Look look = context.wiring()
                    .look(settings.load(with.context(), false), with.context().environment(), with.vantage())) {
                return look.explain(view);
            }
        }
    }

    private View view(CommandContext with) throws ConfigurationException, CommandException {
        Optional<WorkloadId> workload = Optional.empty();
        Optional<String> only = namespace.name();
        if (named != null && named.kind().isPresent()) {
            workload = Optional.of(namespace.of(named, with, settings));
            only = Optional.empty();
        } else if (named != null) {
            if (only.isPresent() && !only.equals(named.namespace())) {
                throw new CommandException(
                        "two namespaces are given, '" + named.namespace().orElse("") + "' and '" + only.get()
                                + "': a workload is written " + WorkloadName.LABEL + ", " + WorkloadName.FORM,
                        ExitCode.WRONG_CONFIGURATION);
            }
            only = named.namespace();
        }
        return new View(output.form(context), workload, only, selection.states(), selection.problems());
    }
}
