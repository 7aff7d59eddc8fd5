package io.urunner.agent.app.cli;

import io.urunner.agent.OnceReport;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.registry.RegistryClient;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

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
     * The terminal that the program runs on, for what is drawn and removed again.
     *
     * @return what writes to it, as it is; empty if the output goes elsewhere
     */
    default Optional<PrintWriter> terminal() {
        return Optional.empty();
    }

    /**
     * A client of the configured registries, with Docker's own credentials for all others.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which say where Docker keeps its credentials
     * @return the client; the caller closes it
     * @throws CommandException if it is not available
     */
    Registries registries(Configuration configuration, Map<String, String> environment) throws CommandException;

    /**
     * An agent with all that it needs; it does nothing yet.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which say where the cluster is
     * @return the agent; the caller closes it
     * @throws CommandException if it is not available
     */
    AgentProcess agent(Configuration configuration, Map<String, String> environment) throws CommandException;

    /**
     * A check of the cluster, the registries and the history that changes nothing, if no agent runs.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which say where the cluster is
     * @param vantage from where, and why
     * @return the check, not started yet; the caller closes it
     * @throws CommandException if it is not available
     */
    Look look(Configuration configuration, Map<String, String> environment, Vantage vantage) throws CommandException;

    /** A check that changes nothing. Single use: call one method, once. */
    interface Look extends AutoCloseable {
        /**
         * Explains one workload, or all that are tracked.
         *
         * @param view what to show, and in which form
         * @return what is printed
         * @throws InterruptedException if the thread is interrupted
         */
        Answer explain(View view) throws InterruptedException;

        /**
         * Finds problems.
         *
         * @param view what to show, and in which form
         * @return what is printed
         * @throws InterruptedException if the thread is interrupted
         */
        Answer doctor(View view) throws InterruptedException;

        @Override
        void close();
    }

    /** Reads the configuration as it is now. Thread-safe. */
    @FunctionalInterface
    interface ConfigurationReader {
        /**
         * Reads it.
         *
         * @return the configuration
         * @throws ConfigurationException if there is a problem, with all that there are
         */
        Configuration read() throws ConfigurationException;
    }

    /**
     * The parts for commands that show or change single workloads.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which say where the cluster is
     * @param patience how long to retry an API server that does not answer
     * @return the cluster, the registries and the store; the caller closes it
     * @throws CommandException if it is not available
     */
    ByHand byHand(Configuration configuration, Map<String, String> environment, Duration patience)
            throws CommandException;

    /**
     * The user, as far as the credentials for the cluster say.
     *
     * @param configuration the configuration
     * @param environment the environment variables, which say where the cluster is
     * @return who asks
     * @throws CommandException if the credentials cannot be read
     */
    Caller caller(Configuration configuration, Map<String, String> environment) throws CommandException;

    /**
     * The user of a command.
     *
     * @param user the user of the kubeconfig; empty in a pod, where only a service account is known
     * @param namespace the namespace of the kubeconfig's context, or {@code default}; empty in a pod
     */
    record Caller(Optional<String> user, Optional<String> namespace) {}

    /**
     * Finds the agent that runs in the cluster of the kubeconfig, with the settings that the caller is allowed to read.
     *
     * @param environment the environment variables, which say where the kubeconfig is
     * @param namespace the agent's namespace; empty for any
     * @return the agent; the caller closes it
     * @throws CommandException if there is none, or its settings are not readable
     */
    FoundAgent find(Map<String, String> environment, Optional<String> namespace) throws CommandException;

    /** An agent in a cluster. */
    interface FoundAgent extends AutoCloseable {
        /**
         * Its identity.
         *
         * @return its namespace and its name
         */
        String name();

        /**
         * The environment variables for a command that uses the agent's settings.
         *
         * @return the variables; files that they name exist on this machine until this is closed
         */
        Map<String, String> environment();

        /**
         * The environment variables of the agent itself, for a command that only shows its settings.
         *
         * @return the variables; files that they name exist on this machine until this is closed
         */
        Map<String, String> ownEnvironment();

        /**
         * Replaces the paths of local copies by those in the agent's pod.
         *
         * @param text any text
         * @return the text with the paths of the pod
         */
        String inItsPod(String text);

        /**
         * Which parts of the agent cannot be reached from here, and why.
         *
         * @return from where the command looks; after {@link #ask} with the reason why that did not answer
         */
        Vantage vantage();

        /**
         * Queries the running agent through the API server.
         *
         * @param path one of its paths, with a query
         * @return its answer; empty if this is not possible, see {@link #vantage}
         */
        Optional<Answer> ask(String path);

        @Override
        void close();
    }

    /**
     * The cluster, the registries and the store.
     *
     * @param surroundings what there is to work with, open until this is closed
     * @param end closes it
     */
    record ByHand(Surroundings surroundings, Runnable end) implements AutoCloseable {
        @Override
        public void close() {
            end.run();
        }
    }

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

    /** An agent with its surroundings. Single use: {@link #start} or {@link #once}, once. */
    interface AgentProcess extends AutoCloseable {
        /**
         * Starts watching, rolling out and serving its endpoints; returns immediately. Log level and credentials are read
         * again when files of the configuration change, and on SIGHUP.
         *
         * @param reader reads the configuration again
         * @throws CommandException if the endpoints cannot be served
         */
        void start(ConfigurationReader reader) throws CommandException;

        /**
         * Checks everything once and starts the rollouts that are due.
         *
         * @param timeout how long it may take in total
         * @return the result
         * @throws InterruptedException if the thread is interrupted
         */
        OnceReport once(Duration timeout) throws InterruptedException;

        /** Stops everything in reverse order, within a few seconds. */
        @Override
        void close();
    }
}
