package io.urunner.agent.run;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
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
import java.util.OptionalInt;
import java.util.Set;

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
    private final OptionalInt budget;
    private final CredentialProvider credentials;
    private final ImageContent content;
    private Instant minute = Instant.MIN;
    private int spent;

    ClientSource(
            RegistryClient client,
            String registry,
            InstantSource clock,
            OptionalInt budget,
            CredentialProvider credentials) {
        this.credentials = credentials;
        this.client = client;
        this.registry = registry;
        this.clock = clock;
        this.budget = budget;
        content = new ImageContent(client, this::spend);
    }

    @Override
    public WatchedRegistry.Answer resolve(ImageReference reference) throws RegistryException, InterruptedException {
        spend();
        Descriptor descriptor = client.resolve(reference);
        return new WatchedRegistry.Answer(descriptor.digest(), descriptor.mediaType());
    }

    @Override
    public Set<Digest> content(ImageReference reference, Digest digest) throws RegistryException, InterruptedException {
        return content.digests(reference.withDigest(digest));
    }

    @Override
    public Optional<ImageLabels> labels(ImageReference reference, Digest digest)
            throws RegistryException, InterruptedException {
        return content.labels(reference.withDigest(digest));
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

    /** Counts a request against the budget of the present minute. */
    private synchronized void spend() {
        Instant now = clock.instant();
        if (!minute.plus(MINUTE).isAfter(now)) {
            minute = now;
            spent = 0;
        }
        spent++;
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
        boolean over = !minute.plus(MINUTE).isAfter(now);
        return Optional.of(new WatchedRegistry.Allowance(
                over ? budget.getAsInt() : Math.max(0, budget.getAsInt() - spent), (over ? now : minute).plus(MINUTE)));
    }

    private WatchedRegistry.Allowance allowance(RateLimit limit) {
        Instant resets = limit.resetAt()
                .orElseGet(() -> limit.toldAt().plus(limit.window().orElse(WINDOW)));
        return new WatchedRegistry.Allowance(limit.remaining().getAsLong(), resets);
    }
}
