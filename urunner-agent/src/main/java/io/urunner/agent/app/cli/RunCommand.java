package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Settings;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "run",
        description = {
            "Watch the cluster and the registries, and roll out what is stale, until stopped.",
            "The log goes to stdout. SIGTERM and Ctrl-C stop it within 5 seconds, with exit code 0."
        })
final class RunCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(RunCommand.class);

    private final CommandContext context;

    @Mixin
    private final SettingsOptions settings = new SettingsOptions();

    RunCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws ConfigurationException, CommandException {
        Configuration configuration = settings.load(context, true);
        configuration.warnings().forEach(LOG::warn);
        List<Settings.Registry> registries = configuration.settings().registries();
        LOG.info(
                "{} watches {}",
                Cli.version(),
                registries.stream()
                        .map(registry -> registry.host() + " (" + registry.type() + ", every "
                                + registry.interval()
                                        .orElse(configuration.settings().interval())
                                        .toSeconds()
                                + " s)")
                        .collect(Collectors.joining(", ")));
        context.termination().listen();
        try (Wiring.AgentProcess agent = context.wiring().agent(configuration, context.environment())) {
            agent.start(() -> settings.load(context));
            context.termination().await();
            LOG.info("shutting down");
        } catch (InterruptedException e) {
            LOG.info("interrupted; shutting down");
        }
        LOG.info("stopped");
        return ExitCode.OK;
    }
}
