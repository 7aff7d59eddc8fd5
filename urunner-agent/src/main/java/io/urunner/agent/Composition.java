package io.urunner.agent;

import io.urunner.agent.cli.CommandException;
import io.urunner.agent.cli.Wiring;
import io.urunner.agent.config.Configuration;
import io.urunner.agent.config.PluginDirectory;
import io.urunner.agent.config.Settings;
import io.urunner.agent.config.SettingsLoader;
import io.urunner.agent.run.PodCredentials;
import io.urunner.registry.RegistryObserver;
import java.util.Map;

/** The one place where the parts are put together. */
final class Composition implements Wiring, AutoCloseable {
    /** A command asks once and for all: what passes in a moment is waited for. */
    private static final int ATTEMPTS = 3;

    private final PluginDirectory plugins = new PluginDirectory();

    @Override
    public SettingsLoader.PluginDiscovery plugins() {
        return plugins;
    }

    @Override
    public void configureLogging(Settings.Log log, boolean toStdout) {
        Logging.configure(log.level(), log.format(), toStdout);
    }

    @Override
    public Registries registries(Configuration configuration, Map<String, String> environment) throws CommandException {
        return RegistryAccess.open(
                configuration,
                environment,
                SystemTime.CLOCK,
                ATTEMPTS,
                new PodCredentials(SystemTime.CLOCK),
                RegistryObserver.NONE);
    }

    @Override
    public AgentProcess agent(Configuration configuration, Map<String, String> environment) throws CommandException {
        return AgentAssembly.of(configuration, environment, false);
    }

    @Override
    public Look look(Configuration configuration, Map<String, String> environment) throws CommandException {
        return AgentAssembly.of(configuration, environment, true);
    }

    @Override
    public ByHand byHand(Configuration configuration, Map<String, String> environment) throws CommandException {
        return CommandSurroundings.open(configuration, environment, ATTEMPTS);
    }

    @Override
    public void close() {
        plugins.close();
    }
}
