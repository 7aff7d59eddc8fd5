package io.urunner.agent.cli;

import io.urunner.agent.config.ConfigurationException;
import io.urunner.kube.WorkloadId;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        description = {
            "Tell what is tracked, what was decided for it and why, and why something is not tracked.",
            "The running agent is asked; without one, the cluster, the registries and the history are looked at once,",
            "and nothing is changed."
        })
final class ExplainCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(
            arity = "0..1",
            paramLabel = WorkloadArgument.LABEL,
            converter = WorkloadArgument.class,
            description = "The workload, " + WorkloadArgument.FORM + "; without it, all that are tracked.")
    private @Nullable WorkloadId workload;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final RunningAgents agents = new RunningAgents();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    ExplainCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException, InterruptedException {
        Optional<WorkloadId> asked = Optional.ofNullable(workload);
        String path = "/status?output=" + (output.json() ? "json" : "text")
                + asked.map(id -> "&workload=" + URLEncoder.encode(id.toString(), StandardCharsets.UTF_8))
                        .orElse("");
        Optional<Answer> told = agents.ask(context, settings, path);
        Answer answer;
        if (told.isPresent()) {
            answer = told.get();
        } else {
            try (Wiring.Look look = context.wiring().look(settings.load(context, false), context.environment())) {
                answer = look.explain(asked, output.json());
            }
        }
        context.out().print(answer.text());
        return answer.code();
    }
}
