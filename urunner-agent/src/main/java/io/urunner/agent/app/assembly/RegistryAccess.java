package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.Settings;
import io.urunner.registry.CredentialRouter;
import io.urunner.registry.HostOptions;
import io.urunner.registry.Pem;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryObserver;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.dockerconfig.Keychain;
import java.io.IOException;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The client of all registries, with the credentials of the configured ones and Docker's for the others. */
public final class RegistryAccess implements Wiring.Registries {
    private final RegistryClient client;
    private final FallbackCredentials credentials;
    private final ExchangeableCredentials own;
    private final InstantSource clock;
    private final Proxies proxies;
    private final CloseStack parts;

    private RegistryAccess(
            RegistryClient client,
            FallbackCredentials credentials,
            ExchangeableCredentials own,
            InstantSource clock,
            Proxies proxies,
            CloseStack parts) {
        this.client = client;
        this.credentials = credentials;
        this.own = own;
        this.clock = clock;
        this.proxies = proxies;
        this.parts = parts;
    }

    static RegistryAccess open(
            Configuration configuration,
            Map<String, String> environment,
            InstantSource clock,
            int attempts,
            CredentialProvider pods,
            RegistryObserver observer)
            throws CommandException {
        Proxies proxies = Proxies.of(environment);
        CloseStack parts = new CloseStack();
        try {
            ExecutorService readers =
                    Executors.newCachedThreadPool(task -> daemon(new Thread(task, "urunner-credential-helper")));
            parts.add(readers::shutdownNow);
            CredentialProvider docker = parts.add(Keychain.docker(environment, clock, readers));
            List<Settings.Registry> registries = configuration.settings().registries();
            ExchangeableCredentials own = parts.add(new ExchangeableCredentials(router(configuration, clock, proxies)));
            FallbackCredentials credentials = new FallbackCredentials(
                    registries.stream().map(Settings.Registry::host).toList(), own, pods, docker);
            RegistryClient.Builder builder = RegistryClient.builder()
                    .credentials(credentials)
                    .proxy(proxies.selector())
                    .accept(configuration.settings().acceptedTypes())
                    .clock(clock)
                    .attempts(attempts)
                    .observer(observer)
                    .userAgent("urunner");
            for (Settings.Registry registry : registries) {
                builder.host(registry.host().registry(), options(registry));
            }
            return new RegistryAccess(parts.add(builder.build()), credentials, own, clock, proxies, parts);
        } catch (CommandException | RuntimeException e) {
            parts.closeAfter(e);
            throw e;
        }
    }

    private static Thread daemon(Thread thread) {
        thread.setDaemon(true);
        return thread;
    }

    /** The credentials of the configured registries. */
    private static CredentialProvider router(Configuration configuration, InstantSource clock, Proxies proxies)
            throws CommandException {
        Map<RegistryPrefix, CredentialProvider> providers = new LinkedHashMap<>();
        // The router closes the providers; until it exists, each provider is closed by itself.
        CloseStack made = new CloseStack();
        try {
            for (Settings.Registry registry : configuration.settings().registries()) {
                providers.put(registry.host(), made.add(provider(registry, configuration, clock, proxies)));
            }
            return new CredentialRouter(providers);
        } catch (CommandException | RuntimeException e) {
            made.closeAfter(e);
            throw e;
        }
    }

    private static CredentialProvider provider(
            Settings.Registry registry, Configuration configuration, InstantSource clock, Proxies proxies)
            throws CommandException {
        try {
            return configuration
                    .plugins()
                    .create(
                            registry.type(),
                            registry.credentials(),
                            new PluginContext(registry.host().registry(), clock, proxies.selector(), proxies.login()));
        } catch (IllegalArgumentException e) {
            boolean refuses = !(e.getCause() instanceof CredentialException failure && failure.isTransient());
            throw new CommandException(
                    refuses
                            ? "the settings of the registry " + registry.host() + " are wrong: " + e.getMessage()
                            : "the credentials of the registry " + registry.host() + ", which is of the type '"
                                    + registry.type() + "', are not available: " + e.getMessage(),
                    ExitCode.WRONG_CONFIGURATION,
                    e);
        }
    }

    static HostOptions options(Settings.Registry registry) throws CommandException {
        Settings.Tls tls = registry.tls();
        HostOptions options = HostOptions.DEFAULTS
                .withTrustedHosts(Set.copyOf(registry.trustedHosts()))
                .withMirrors(registry.mirrors().stream()
                        .map(Settings.Mirror::toMirror)
                        .toList());
        if (registry.address().isPresent()) {
            options = options.withAddress(registry.address().get());
        }
        if (registry.concurrency().isPresent()) {
            options = options.withConcurrency(registry.concurrency().get());
        }
        if (registry.plainHttp()) {
            options = options.withPlainHttp();
        }
        if (!tls.verify()) {
            options = options.withInsecureTls();
        }
        try {
            if (tls.ca().isPresent()) {
                options = options.withAuthorities(Pem.certificates(tls.ca().get()));
            }
            if (tls.certificate().isPresent() && tls.key().isPresent()) {
                options = options.withClientCertificate(
                        Pem.clientCertificate(tls.certificate().get(), tls.key().get()));
            }
        } catch (IOException e) {
            throw new CommandException(
                    "the TLS settings of the registry " + registry.host() + " cannot be used: " + e.getMessage(),
                    ExitCode.WRONG_CONFIGURATION,
                    e);
        }
        return options;
    }

    @Override
    public RegistryClient client() {
        return client;
    }

    /** Uses the credentials of another configuration from now on, for the existing registries. */
    void reload(Configuration configuration) throws CommandException {
        own.exchange(router(configuration, clock, proxies));
    }

    /** The credentials that the client uses. */
    FallbackCredentials credentials() {
        return credentials;
    }

    @Override
    public void close() {
        parts.close();
    }
}
