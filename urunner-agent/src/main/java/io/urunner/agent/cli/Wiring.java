package io.urunner.agent.cli;

import io.urunner.agent.config.Configuration;
import io.urunner.agent.config.Settings;
import io.urunner.agent.config.SettingsLoader;
import io.urunner.registry.RegistryClient;
import java.util.Map;

/** Builds what commands work with. Thread-safe. */
public interface Wiring {
    /**
     * How the credential plugins are found.
     *
     * @return the discovery
     */
    SettingsLoader.PluginDiscovery plugins();

    /**
     * Logs from now on as configured.
     *
     * @param log level and format
     * @param toStdout whether to stdout, instead of stderr
     */
    void configureLogging(Settings.Log log, boolean toStdout);

    /**
     * A client of the configured registries, with Docker's own credentials for all others.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which tell where Docker keeps its credentials
     * @return the client; the caller closes it
     * @throws CommandException if it cannot be had
     */
    Registries registries(Configuration configuration, Map<String, String> environment) throws CommandException;

    /** A registry client with the credentials that it uses. */
    interface Registries extends AutoCloseable {
        /**
         * The client.
         *
         * @return the client, open until this is closed
         */
        RegistryClient client();

        @Override
        void close();
    }
}
