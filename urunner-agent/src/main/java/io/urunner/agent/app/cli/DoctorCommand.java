package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.doctor.Finding;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "doctor",
        description = {
            "Check the configuration, the registries, the permissions, the namespaces, the history and the last pass.",
            "The running agent does the checks; without one, this command does. The exit code is 1 if something is wrong."
        })
final class DoctorCommand implements Callable<Integer> {
    private final CommandContext context;

    @Option(names = "--problems", description = "Only problems.")
    private boolean problems;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final RunningAgents agents = new RunningAgents();

    @Mixin
    private final Reach reach = new Reach();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    DoctorCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException, InterruptedException {
        View view = new View(output.form(context), Optional.empty(), Optional.empty(), Set.of(), problems);
        Answer answer;
        try {
            Optional<Answer> told =
                    reach.isNamed() ? Optional.empty() : agents.ask(context, settings, () -> "/doctor?" + view.query());
            answer = told.isPresent() ? told.get() : look(view);
        } catch (ConfigurationException e) {
            answer = Answers.findings("no running agent was asked", Finding.of(e), view);
        }
        context.out().print(answer.text());
        return answer.code();
    }

    private Answer look(View view) throws ConfigurationException, CommandException, InterruptedException {
        try (Reach.With with = reach.with(context, settings)) {
            Optional<Answer> told = with.ask("/doctor?" + view.query());
            if (told.isPresent()) {
                return told.get();
            }
            try (Wiring.Look look = context.wiring()
                    .look(settings.load(with.context(), false), with.context().environment(), with.vantage())) {
                return look.doctor(view);
            }
        }
    }
}
