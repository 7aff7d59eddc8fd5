package io.urunner.agent.cli;

import io.urunner.agent.config.Configuration;
import io.urunner.agent.config.ConfigurationException;
import io.urunner.agent.doctor.Finding;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "doctor",
        description = {
            "Check the configuration, the registries, the permissions, the namespaces, the history and the last pass.",
            "The running agent checks; without one, this command does. Exit code 1 when something is wrong."
        })
final class DoctorCommand implements Callable<Integer> {
    private final CommandContext context;

    @Mixin
    private final Output output = new Output();

    @Mixin
    private final RunningAgents agents = new RunningAgents();

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    DoctorCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws CommandException, InterruptedException {
        Answer answer;
        try {
            Optional<Answer> told =
                    agents.ask(context, settings, "/doctor?output=" + (output.json() ? "json" : "text"));
            answer = told.isPresent() ? told.get() : look();
        } catch (ConfigurationException e) {
            answer = Answers.findings("no running agent was asked", Finding.of(e), output.json());
        }
        context.out().print(answer.text());
        return answer.code();
    }

    private Answer look() throws ConfigurationException, CommandException, InterruptedException {
        Configuration configuration = settings.load(context, false);
        try (Wiring.Look look = context.wiring().look(configuration, context.environment())) {
            return look.doctor(output.json());
        }
    }
}
