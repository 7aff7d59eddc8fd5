package io.urunner.agent.run;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RateLimit;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.store.DigestStore.ImageLabels;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/** A registry behind a client. */
final class ClientSource implements WatchedRegistry.Source {
    /** Docker Hub limits what is pulled; a HEAD is none. */
    private static final String COUNTS_NO_HEAD = "docker.io";

    /** What is assumed of a registry that tells how much is left, but not until when. */
    private static final Duration WINDOW = Duration.ofHours(1);

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final RegistryClient client;
    private final String registry;
    private final InstantSource clock;
    private final Optional<WatchedRegistry.Budget> budget;
    private final CredentialProvider credentials;
    private final ImageContent content;
    private Instant minute = Instant.MIN;
    /** What was sent before this minute, but for what went beyond the budget of the one before. */
    private long before;

    ClientSource(
            RegistryClient client,
            String registry,
            InstantSource clock,
            Optional<WatchedRegistry.Budget> budget,
            CredentialProvider credentials) {
        this.credentials = credentials;
        this.client = client;
        this.registry = registry;
        this.clock = clock;
        this.budget = budget;
        content = new ImageContent(client);
    }

    @Override
    public WatchedRegistry.Answer resolve(ImageReference reference) throws RegistryException, InterruptedException {
        Descriptor descriptor = client.resolve(reference);
        return new WatchedRegistry.Answer(descriptor.digest(), descriptor.mediaType());
    }

    @Override
    public WatchedRegistry.Content manifest(ImageReference image) throws RegistryException, InterruptedException {
        return content.manifest(image);
    }

    @Override
    public Optional<ImageLabels> labels(ImageReference image, Descriptor config)
            throws RegistryException, InterruptedException {
        return content.labels(image, config);
    }

    @Override
    public void ping() throws RegistryException, InterruptedException {
        client.ping(registry);
    }

    @Override
    public boolean hasCredential(ImageReference reference) {
        try {
            return credentials.credentials(reference.registry(), reference.repository()).stream()
                    .anyMatch(credential -> !(credential instanceof Credential.Anonymous));
        } catch (CredentialException e) {
            return true;
        }
    }

    @Override
    public Optional<WatchedRegistry.Allowance> allowance() {
        Optional<WatchedRegistry.Allowance> theirs = registry.equals(COUNTS_NO_HEAD)
                ? Optional.empty()
                : client.rateLimit(registry)
                        .filter(limit -> limit.remaining().isPresent())
                        .map(this::allowance);
        Optional<WatchedRegistry.Allowance> ours = ours();
        return theirs.isPresent() && ours.isPresent()
                ? Optional.of(theirs.get().stricter(ours.get(), clock.instant()))
                : theirs.or(() -> ours);
    }

    private synchronized Optional<WatchedRegistry.Allowance> ours() {
        if (budget.isEmpty()) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        int most = budget.get().perMinute();
        long sent = budget.get().sent().to(registry);
        if (!minute.plus(MINUTE).isAfter(now)) {
            // One answer may have cost more requests than were left: the next minute pays.
            before = sent - Math.max(0, sent - before - most);
            minute = now;
        }
        long left = Math.max(0, most - (sent - before));
        return Optional.of(new WatchedRegistry.Allowance(left, minute.plus(MINUTE)));
    }

    private WatchedRegistry.Allowance allowance(RateLimit limit) {
        Instant resets = limit.resetAt()
                .orElseGet(() -> limit.toldAt().plus(limit.window().orElse(WINDOW)));
        return new WatchedRegistry.Allowance(limit.remaining().getAsLong(), resets);
    }
}
