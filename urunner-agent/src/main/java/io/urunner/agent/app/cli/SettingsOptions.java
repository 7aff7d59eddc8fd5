package io.urunner.agent.app.cli;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of every command that reads the configuration. */
final class SettingsOptions {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration file (YAML); the default is URUNNER_CONFIG.")
    private @Nullable Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Override a setting by its key in the file, for example log.level=DEBUG. Can be repeated.")
    private final Map<String, String> values = new LinkedHashMap<>();

    /** Tells whether any was given. */
    boolean given() {
        return file != null || !values.isEmpty();
    }

    /** The configuration of an agent. The log goes to stdout if it is the command's purpose. */
    Configuration load(CommandContext context, boolean logToStdout) throws ConfigurationException {
        return announce(load(context), context, logToStdout);
    }

    /** The configuration as it is now. */
    Configuration load(CommandContext context) throws ConfigurationException {
        return loader(context).load(overrides());
    }

    /** The configuration of a command that works without a configured registry. */
    Configuration loadWithoutDefaultRegistry(CommandContext context) throws ConfigurationException {
        return announce(loader(context).loadWithoutDefaultRegistry(overrides()), context, false);
    }

    /** The configuration, for settings other than registries; prints no warnings. */
    Configuration read(CommandContext context) throws ConfigurationException {
        return loader(context).loadWithoutDefaultRegistry(overrides());
    }

    private static SettingsLoader loader(CommandContext context) {
        return new SettingsLoader(context.environment(), context.wiring().plugins());
    }

    private Overrides overrides() {
        return new Overrides(Optional.ofNullable(file), values);
    }

    private static Configuration announce(Configuration configuration, CommandContext context, boolean logToStdout) {
        Settings.Log log = configuration.settings().log();
        boolean quiet = !logToStdout && !configuration.isSet("log.level");
        context.wiring()
                .configureLogging(quiet ? new Settings.Log(Settings.LogLevel.WARNING, log.format()) : log, logToStdout);
        if (!logToStdout) {
            configuration.warnings().forEach(warning -> context.err().println("urunner: warning: " + warning));
        }
        return configuration;
    }
}
