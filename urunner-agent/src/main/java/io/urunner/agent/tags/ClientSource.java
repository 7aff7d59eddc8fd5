package io.urunner.agent.tags;

import io.urunner.agent.PullSecretSource;
import io.urunner.agent.RegistryOptions;
import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RateLimit;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.store.DigestStore.ImageLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A registry behind a client. */
final class ClientSource implements WatchedRegistry.Source {
    /** What is assumed for a registry that reports how much is left, but not until when. */
    private static final Duration WINDOW = Duration.ofHours(1);

    /** For how many namespaces the credentials that worked are kept. */
    private static final int MOST_NAMESPACES = 1_000;

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final RegistryClient client;
    private final String registry;
    private final InstantSource clock;
    private final Optional<RegistryOptions.Budget> budget;
    private final Function<String, Optional<PullSecretSource>> pullSecrets;
    /** The credentials that are sent, if they are pull secrets. */
    private final Optional<PullSecretSource> own;

    private final ImageReader images;
    private final Map<String, Optional<WatchedRegistry.Source>> namespaces = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Optional<WatchedRegistry.Source>> eldest) {
            return size() > MOST_NAMESPACES;
        }
    };

    private Instant minute = Instant.MIN;
    /** What was sent before this minute, except what exceeded the budget of the previous one. */
    private long before;

    ClientSource(
            RegistryClient client,
            String registry,
            InstantSource clock,
            Optional<RegistryOptions.Budget> budget,
            Function<String, Optional<PullSecretSource>> pullSecrets) {
        this(client, registry, clock, budget, pullSecrets, Optional.empty());
    }

    private ClientSource(
            RegistryClient client,
            String registry,
            InstantSource clock,
            Optional<RegistryOptions.Budget> budget,
            Function<String, Optional<PullSecretSource>> pullSecrets,
            Optional<PullSecretSource> own) {
        this.client = client;
        this.registry = registry;
        this.clock = clock;
        this.budget = budget;
        this.pullSecrets = pullSecrets;
        this.own = own;
        images = new ImageReader(client);
    }

    @Override
    public Descriptor resolve(ImageReference reference) throws RegistryException, InterruptedException {
        return client.resolve(reference);
    }

    @Override
    public Links manifest(ImageReference image) throws RegistryException, InterruptedException {
        return images.manifest(image);
    }

    @Override
    public Optional<ImageLabels> labels(ImageReference image, Descriptor config)
            throws RegistryException, InterruptedException {
        return images.labels(image, config);
    }

    @Override
    public void ping() throws RegistryException, InterruptedException {
        client.ping(registry);
    }

    @Override
    public boolean hasCredential(ImageReference reference) {
        try {
            return client.credentials().credentials(reference.registry(), reference.repository()).stream()
                    .anyMatch(credential -> !(credential instanceof Credential.Anonymous));
        } catch (CredentialException e) {
            return true;
        }
    }

    @Override
    public synchronized Optional<WatchedRegistry.Source> of(String namespace) {
        return namespaces.computeIfAbsent(
                namespace,
                added -> pullSecrets
                        .apply(namespace)
                        .map(secrets -> new ClientSource(
                                client.withCredentials(secrets),
                                registry,
                                clock,
                                Optional.empty(),
                                none -> Optional.empty(),
                                Optional.of(secrets))));
    }

    @Override
    public List<String> problems(ImageReference reference) {
        return own.map(secrets -> secrets.problems(reference.registry(), reference.repository()))
                .orElse(List.of());
    }

    @Override
    public Optional<WatchedRegistry.Allowance> allowance() {
        // Docker Hub limits pulls; a HEAD does not count as one.
        return Repository.canonicalRegistry(registry).equals(Repository.DOCKER_HUB)
                ? Optional.empty()
                : client.rateLimit(registry)
                        // What was reported before the clock was set back is of no use.
                        .filter(limit ->
                                limit.remaining().isPresent() && !limit.toldAt().isAfter(clock.instant()))
                        .map(this::allowance);
    }

    @Override
    public synchronized Optional<WatchedRegistry.Allowance> budget() {
        if (budget.isEmpty()) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        int most = budget.get().perMinute();
        long sent = budget.get().sent().to(registry);
        if (!minute.plus(MINUTE).isAfter(now) || minute.isAfter(now)) {
            // One answer may have cost more requests than were left: the next minute pays.
            before = sent - Math.max(0, sent - before - most);
            minute = now;
        }
        long left = Math.max(0, most - (sent - before));
        return Optional.of(allowance(left, minute.plus(MINUTE), most, MINUTE));
    }

    /** Half of the remaining time's share of the limit is reserved for the questions that become due. */
    private WatchedRegistry.Allowance allowance(long left, Instant resets, long most, Duration window) {
        double rest = Math.max(0, Duration.between(clock.instant(), resets).toMillis());
        return new WatchedRegistry.Allowance(left, resets, (long) (most / 2.0 * Math.min(1, rest / window.toMillis())));
    }

    private WatchedRegistry.Allowance allowance(RateLimit limit) {
        Instant resets = limit.resetAt()
                .orElseGet(() -> limit.toldAt().plus(limit.window().orElse(WINDOW)));
        return allowance(
                limit.remaining().getAsLong(),
                resets,
                limit.limit().orElse(0),
                limit.window().filter(window -> !window.isZero()).orElse(WINDOW));
    }
}
