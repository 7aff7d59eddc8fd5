package io.urunner.agent.app.assembly;

import io.urunner.agent.Agent;
import io.urunner.agent.AgentBuilder;
import io.urunner.agent.Lease;
import io.urunner.agent.OnceReport;
import io.urunner.agent.RegistryOptions;
import io.urunner.agent.RequestCounts;
import io.urunner.agent.app.cli.Answer;
import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.agent.app.cli.View;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.doctor.Doctor;
import io.urunner.agent.app.doctor.Finding;
import io.urunner.agent.app.doctor.Vantage;
import io.urunner.agent.app.explain.Explainer;
import io.urunner.agent.app.hooks.Hooks;
import io.urunner.agent.app.http.AgentServer;
import io.urunner.agent.app.http.BearerToken;
import io.urunner.agent.app.http.Endpoint;
import io.urunner.agent.app.http.LocalAgents;
import io.urunner.agent.app.logging.Logging;
import io.urunner.agent.app.metrics.AgentMetrics;
import io.urunner.agent.loop.SystemTime;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConfigurationException;
import io.urunner.kube.WatchScope;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An agent with its registries, its store, its cluster and its endpoints. */
final class AgentAssembly implements Wiring.AgentProcess, Wiring.Look {
    private static final Logger LOG = LoggerFactory.getLogger(AgentAssembly.class);

    /** The next pass is the retry: a failing registry is asked no more often than its back-off allows. */
    private static final int ATTEMPTS = 1;

    /** Without an agent that knows the namespaces, nobody's pull secrets are used. */
    private static final CredentialProvider NO_PODS = new PodCredentials(SystemTime.CLOCK);

    private static final String METRICS = "/metrics";

    /** Time limit for a look. */
    private static final Duration LOOK = Duration.ofSeconds(60);

    private final Configuration configuration;
    /** The current settings: they change when the configuration is reloaded. */
    private final AtomicReference<Settings> current;

    private final RegistryAccess access;
    private final Agent agent;
    private final AgentMetrics metrics;
    private final Map<String, Supplier<String>> probes;
    private final Map<String, Endpoint> endpoints;
    private final Insight insight;
    private final String server;
    private final CloseStack parts;

    private AgentAssembly(
            Configuration configuration,
            AtomicReference<Settings> current,
            RegistryAccess access,
            Agent agent,
            AgentMetrics metrics,
            Map<String, Supplier<String>> probes,
            Map<String, Endpoint> endpoints,
            Insight insight,
            String server,
            CloseStack parts) {
        this.configuration = configuration;
        this.current = current;
        this.access = access;
        this.agent = agent;
        this.metrics = metrics;
        this.probes = probes;
        this.endpoints = endpoints;
        this.insight = insight;
        this.server = server;
        this.parts = parts;
    }

    /** An agent. */
    static AgentAssembly of(Configuration configuration, Map<String, String> environment) throws CommandException {
        return of(configuration, environment, false, Vantage.HERE);
    }

    /** An agent that only looks and writes nothing, not even history. */
    static AgentAssembly looking(Configuration configuration, Map<String, String> environment, Vantage vantage)
            throws CommandException {
        return of(configuration, environment, true, vantage);
    }

    private static AgentAssembly of(
            Configuration configuration, Map<String, String> environment, boolean looking, Vantage vantage)
            throws CommandException {
        Settings settings = configuration.settings();
        AtomicReference<Settings> current = new AtomicReference<>(settings);
        KubeConfiguration kubernetes = kubernetes(configuration, environment, looking);
        CloseStack parts = new CloseStack();
        AgentMetrics metrics = new AgentMetrics(version(), SystemTime.CLOCK);
        try {
            RequestCounts counts = new RequestCounts(
                    settings.registries().stream()
                            .map(registry -> registry.host().registry())
                            .toList(),
                    metrics);
            RegistryAccess access = parts.add(
                    RegistryAccess.open(configuration, environment, SystemTime.CLOCK, ATTEMPTS, NO_PODS, counts));
            RegistryClient client = access.client();
            DigestStore history = store(
                    settings,
                    settings.store()
                            .password()
                            .map(start -> live(current, now -> now.store().password(), start)));
            DigestStore store = parts.add(looking ? DigestStores.readOnly(history) : history);
            AgentBuilder builder = Agent.builder(kubernetes)
                    .scope(scope(settings.kubernetes()))
                    .interval(settings.interval())
                    .pullSecrets(settings.kubernetes().pullSecrets())
                    .store(store)
                    .retention(new DigestStore.Retention(
                            settings.store().retention().digests(),
                            settings.store().retention().days()))
                    .policy(settings.policies().toPolicy())
                    .limits(settings.rollouts().toLimits())
                    .instance(instance(environment))
                    .listener(metrics);
            for (Settings.Registry registry : settings.registries()) {
                builder.registry(registry.host().toString(), client, options(registry, counts));
            }
            if (settings.kubernetes().leaderElection()) {
                builder.lease(lease(settings.kubernetes(), kubernetes, instance(environment)));
            }
            Agent agent = parts.add(builder.build());
            Map<String, Supplier<String>> probes = Map.of(
                    "/livez", agent::notAlive,
                    "/readyz", agent::notReady,
                    "/readyz/history", () -> agent.historyWorks() ? "" : "the history database does not work");
            Map<String, Endpoint> endpoints =
                    new HashMap<>(Map.of(METRICS, metrics.endpoint(agent::status, client::rateLimit, agent::stuck)));
            settings.http()
                    .hooks()
                    .secret()
                    .map(start -> live(current, now -> now.http().hooks().secret(), start))
                    .ifPresent(secret -> endpoints.putAll(new Hooks(secret, agent::hint, metrics::hinted).endpoints()));
            Insight insight = new Insight(
                    version(),
                    instance(environment),
                    agent,
                    new Explainer(
                            scope(settings.kubernetes()),
                            agent.access(),
                            namespace -> access.credentials().withPods(agent.pullSecrets(namespace)),
                            new Routes(client)::to,
                            store,
                            vantage.history()),
                    new Doctor(
                            settings,
                            scope(settings.kubernetes()),
                            settings.kubernetes().leaderElection()
                                    ? Optional.of(leaseNamespace(settings.kubernetes(), kubernetes))
                                    : Optional.empty(),
                            agent.access(),
                            agent::check,
                            new ShownCredentials(access.credentials(), agent::pullSecrets, client),
                            store,
                            vantage),
                    vantage);
            String server = kubernetes.server().toString();
            return new AgentAssembly(
                    configuration, current, access, agent, metrics, probes, endpoints, insight, server, parts);
        } catch (CommandException | RuntimeException e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    private static String version() {
        return Optional.ofNullable(AgentAssembly.class.getPackage().getImplementationVersion())
                .orElse("unknown");
    }

    /**
     * The configuration of the cluster. If it is not set, and this is not a pod, a command ({@code byHand}) uses the
     * kubeconfig; an agent does not, so that it does not watch a cluster by accident.
     */
    static KubeConfiguration kubernetes(Configuration configuration, Map<String, String> environment, boolean byHand)
            throws CommandException {
        boolean pod = configuration.settings().kubernetes().auth() == Settings.KubeAuth.INCLUSTER;
        boolean guess = pod
                && byHand
                && !configuration.isSet("kubernetes.auth")
                && !environment.containsKey("KUBERNETES_SERVICE_HOST");
        try {
            KubeConfiguration found = pod && !guess
                    ? KubeConfiguration.inCluster(environment)
                    : KubeConfiguration.kubeconfig(environment);
            return Proxies.of(environment).areOfTheEnvironment() ? found.directByDefault() : found;
        } catch (KubeConfigurationException e) {
            String hint = pod && !guess ? "; outside a cluster set URUNNER_CONF_KUBE_AUTH=kubeconfig" : "";
            throw new CommandException(e.getMessage() + hint, ExitCode.WRONG_CONFIGURATION, e);
        }
    }

    static String instance(Map<String, String> environment) {
        return environment.getOrDefault("HOSTNAME", "urunner");
    }

    /** Two processes may have the same host name: the identity tells them apart. */
    private static Lease lease(Settings.Kubernetes settings, KubeConfiguration kubernetes, String instance) {
        return new Lease(leaseNamespace(settings, kubernetes), settings.lease(), instance + "_" + UUID.randomUUID());
    }

    private static String leaseNamespace(Settings.Kubernetes settings, KubeConfiguration kubernetes) {
        return settings.leaseNamespace().or(kubernetes::namespace).orElse("default");
    }

    private static WatchScope scope(Settings.Kubernetes settings) {
        return settings.namespaces().isEmpty()
                ? WatchScope.cluster()
                : WatchScope.of(Set.copyOf(settings.namespaces()));
    }

    private static RegistryOptions options(Settings.Registry registry, RequestCounts counts) {
        RegistryOptions options = RegistryOptions.DEFAULTS;
        if (registry.interval().isPresent()) {
            options = options.withInterval(registry.interval().get());
        }
        if (registry.concurrency().isPresent()) {
            options = options.withConcurrency(registry.concurrency().get());
        }
        return registry.budget().isPresent()
                ? options.withBudget(registry.budget().get(), counts)
                : options;
    }

    /** A secret from the current settings; while they have none, the one from startup. */
    private static SecretSource live(
            AtomicReference<Settings> current, Function<Settings, Optional<SecretSource>> which, SecretSource start) {
        return () -> which.apply(current.get()).orElse(start).read();
    }

    static DigestStore store(Settings settings) throws CommandException {
        return store(settings, settings.store().password());
    }

    private static DigestStore store(Settings settings, Optional<SecretSource> password) throws CommandException {
        Settings.Store store = settings.store();
        String cluster = settings.kubernetes().cluster();
        if (store.url().isEmpty()) {
            return DigestStores.sqlite(store.path(), cluster);
        }
        String url = store.url().get();
        try {
            return store.user().isPresent() && password.isPresent()
                    ? DigestStores.postgresql(url, store.user().get(), () -> reveal(password.get()), cluster)
                    : DigestStores.postgresql(url, cluster);
        } catch (IllegalArgumentException e) {
            throw new CommandException("URUNNER_CONF_DATABASE_URL: " + e.getMessage(), ExitCode.WRONG_CONFIGURATION, e);
        }
    }

    private static String reveal(SecretSource source) {
        try {
            return source.read().reveal();
        } catch (CredentialException e) {
            throw new IllegalStateException("the database's password cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void start(Wiring.ConfigurationReader reader) throws CommandException {
        int port = configuration.settings().http().port();
        if (port > 0) {
            serve(port, reader);
        }
        agent.start();
        parts.add(new Reloader(configuration, reader, this::reload, metrics::reloaded))
                .start();
    }

    private void serve(int port, Wiring.ConfigurationReader reader) throws CommandException {
        Secret token = BearerToken.random();
        List<SecretSource> tokens = new ArrayList<>(List.of(SecretSource.of(token)));
        configuration
                .settings()
                .http()
                .token()
                .ifPresent(start -> tokens.add(live(current, now -> now.http().token(), start)));
        Map<String, Endpoint> all = new HashMap<>(endpoints);
        insight.endpoints(reader).forEach((path, endpoint) -> all.put(path, BearerToken.required(tokens, endpoint)));
        configuration.settings().http().metricsToken().ifPresent(start -> {
            // Whoever may query the agent may read its metrics, too.
            List<SecretSource> either = new ArrayList<>(tokens);
            either.add(live(current, now -> now.http().metricsToken(), start));
            all.computeIfPresent(METRICS, (path, endpoint) -> BearerToken.required(either, endpoint));
        });
        AgentServer httpServer = parts.add(new AgentServer(
                port,
                probes,
                all,
                task -> {
                    Thread thread = new Thread(task, "urunner-http");
                    thread.setDaemon(true);
                    return thread;
                },
                SystemTime.TICKER));
        try {
            httpServer.start();
        } catch (IOException e) {
            throw new CommandException(String.valueOf(e.getMessage()), ExitCode.WRONG_CONFIGURATION, e);
        }
        try {
            parts.add(new LocalAgents(Path.of(System.getProperty("java.io.tmpdir", "/tmp")))
                    .register(new LocalAgents.LocalAgent(ProcessHandle.current().pid(), port, token, server)));
        } catch (IOException e) {
            LOG.warn("commands on this machine cannot find this agent: {}", e.toString());
        }
    }

    @Override
    public Answer explain(View view) throws InterruptedException {
        return insight.explain(agent.look(LOOK), view);
    }

    @Override
    public Answer doctor(View view) throws InterruptedException {
        return insight.doctor(agent.look(LOOK), Finding.of(configuration), view);
    }

    private void reload(Configuration changed) throws CommandException {
        access.reload(changed);
        Settings.Log log = changed.settings().log();
        if (!log.equals(current.getAndSet(changed.settings()).log())) {
            Logging.configure(log.level(), log.format(), true);
        }
        agent.credentialsChanged();
    }

    @Override
    public OnceReport once(Duration timeout) throws InterruptedException {
        return agent.once(timeout);
    }

    @Override
    public void close() {
        try {
            parts.close();
        } catch (RuntimeException e) {
            LOG.warn("not everything could be closed cleanly", e);
        }
    }
}
