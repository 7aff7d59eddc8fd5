package io.urunner.agent.run;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RateLimit;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A registry behind a client. */
final class ClientSource implements WatchedRegistry.Source {
    /** Docker Hub limits what is pulled; a HEAD is none. */
    private static final String COUNTS_NO_HEAD = "docker.io";

    /** What is assumed of a registry that tells how much is left, but not until when. */
    private static final Duration WINDOW = Duration.ofHours(1);

    private final RegistryClient client;
    private final String registry;
    private final InstantSource clock;

    ClientSource(RegistryClient client, String registry, InstantSource clock) {
        this.client = client;
        this.registry = registry;
        this.clock = clock;
    }

    @Override
    public WatchedRegistry.Answer resolve(ImageReference reference) throws RegistryException, InterruptedException {
        Descriptor descriptor = client.resolve(reference);
        return new WatchedRegistry.Answer(descriptor.digest(), descriptor.mediaType());
    }

    @Override
    public Set<Digest> content(ImageReference reference, Digest digest) throws RegistryException, InterruptedException {
        Set<Digest> content = new HashSet<>();
        gather(reference.withDigest(digest), content);
        return content;
    }

    private void gather(ImageReference image, Set<Digest> content) throws RegistryException, InterruptedException {
        if (!content.add(image.digest().orElseThrow())) {
            return;
        }
        ManifestOrIndex found = client.manifest(image);
        if (found instanceof Manifest manifest) {
            content.add(manifest.config().digest());
        } else if (found instanceof Index index) {
            for (Descriptor child : index.manifests()) {
                if (!child.isAttestation()) {
                    gather(image.withDigest(child.digest()), content);
                }
            }
        }
    }

    @Override
    public Optional<WatchedRegistry.Allowance> allowance() {
        if (registry.equals(COUNTS_NO_HEAD)) {
            return Optional.empty();
        }
        return client.rateLimit(registry)
                .filter(limit -> limit.remaining().isPresent())
                .map(this::allowance);
    }

    private WatchedRegistry.Allowance allowance(RateLimit limit) {
        Instant resets = limit.resetAt()
                .orElseGet(() -> clock.instant().plus(limit.window().orElse(WINDOW)));
        return new WatchedRegistry.Allowance(limit.remaining().getAsLong(), resets);
    }
}
