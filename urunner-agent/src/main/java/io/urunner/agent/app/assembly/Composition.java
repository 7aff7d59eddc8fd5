package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.logging.Logging;
import io.urunner.agent.app.rollback.Surroundings;
import io.urunner.agent.loop.SystemTime;
import io.urunner.agent.workloads.KubeCluster;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeEvents;
import io.urunner.kube.WatchScope;
import io.urunner.registry.RegistryObserver;
import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** Builds the objects that each command works with. */
public final class Composition implements Wiring, AutoCloseable {
    /** A command asks only once, so it retries after short failures. */
    private static final int ATTEMPTS = 3;

    private final PluginDirectory plugins = new PluginDirectory();

    @Override
    public Optional<PrintWriter> terminal() {
        // That of Java 22 to 24 is there even if the output goes elsewhere.
        System.setProperty("jdk.console", "java.base");
        return Optional.ofNullable(System.console()).map(Console::writer);
    }

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
        return AgentAssembly.of(configuration, environment);
    }

    @Override
    public Look look(Configuration configuration, Map<String, String> environment, Vantage vantage)
            throws CommandException {
        return AgentAssembly.looking(configuration, environment, vantage);
    }

    @Override
    public ByHand byHand(Configuration configuration, Map<String, String> environment, Duration patience)
            throws CommandException {
        Settings settings = configuration.settings();
        CloseStack parts = new CloseStack();
        try {
            ScheduledExecutorService answers = Executors.newScheduledThreadPool(2, task -> {
                Thread thread = new Thread(task, "urunner-kubernetes");
                thread.setDaemon(true);
                return thread;
            });
            parts.add(answers::shutdownNow);
            KubeConnection connection = parts.add(new KubeConnection(
                    AgentAssembly.kubernetes(configuration, environment, true), answers, "urunner", patience));
            PodCredentials pods = new PodCredentials(SystemTime.CLOCK);
            if (settings.kubernetes().pullSecrets()) {
                pods.connect(new KubeAccess(connection));
            }
            RegistryAccess registries = parts.add(RegistryAccess.open(
                    configuration, environment, SystemTime.CLOCK, ATTEMPTS, pods, RegistryObserver.NONE));
            Surroundings surroundings = new Surroundings(
                    parts.add(new KubeCluster(connection, WatchScope.cluster(), SystemTime.TICKER)),
                    new KubeAccess(connection),
                    new KubeEvents(connection, "urunner", AgentAssembly.instance(environment), SystemTime.CLOCK),
                    pods,
                    registries.client(),
                    parts.add(AgentAssembly.store(settings)),
                    new Surroundings.Time(SystemTime.CLOCK, SystemTime.TICKER, SystemTime::sleep));
            return new ByHand(surroundings, parts::close);
        } catch (CommandException | RuntimeException e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    @Override
    public Caller caller(Configuration configuration, Map<String, String> environment) throws CommandException {
        KubeConfiguration kubernetes = AgentAssembly.kubernetes(configuration, environment, true);
        // In a pod it is the service account's, which does not say who asks, or about which namespace.
        return kubernetes.user().isEmpty()
                ? new Caller(Optional.empty(), Optional.empty())
                : new Caller(kubernetes.user(), kubernetes.namespace().or(() -> Optional.of("default")));
    }

    @Override
    public FoundAgent find(Map<String, String> environment, Optional<String> namespace) throws CommandException {
        return AgentInCluster.find(environment, namespace, plugins);
    }

    @Override
    public void close() {
        plugins.close();
    }
}
