package io.urunner.store;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Short forms of batches for tests. */
final class Batches {
    static final Instant NOON = Instant.parse("2026-11-23T12:00:00Z");
    static final String INDEX = "application/vnd.oci.image.index.v1+json";
    static final String WEB = "registry.example/team/web:latest";
    static final String WORKLOAD = "shop/Deployment/web";
    static final TrackedContainer TRACKED = new TrackedContainer(WORKLOAD, "main", WEB);
    static final String A = digest('a');
    static final String B = digest('b');
    static final String C = digest('c');

    private Batches() {}

    static String digest(char of) {
        return "sha256:" + String.valueOf(of).repeat(64);
    }

    static String digest(long n) {
        return "sha256:%064x".formatted(n);
    }

    static Instant minute(long n) {
        return NOON.plus(Duration.ofMinutes(n));
    }

    static Instant day(long n) {
        return NOON.plus(Duration.ofDays(n));
    }

    static Sighting seen(String reference, String digest, Instant when) {
        return new Sighting(reference, digest, Optional.of(INDEX), when);
    }

    static Batch sightings(Sighting... sightings) {
        return new Batch(List.of(sightings), Map.of(), Map.of(), Set.of(), List.of());
    }

    static Batch labels(String reference, String digest, ImageLabels labels) {
        return new Batch(List.of(), Map.of(new Image(reference, digest), labels), Map.of(), Set.of(), List.of());
    }

    static Batch remember(TrackedContainer container, String digest) {
        return new Batch(List.of(), Map.of(), Map.of(container, digest), Set.of(), List.of());
    }

    static Batch forget(TrackedContainer... containers) {
        return new Batch(List.of(), Map.of(), Map.of(), Set.of(containers), List.of());
    }

    static Batch rollouts(RolloutRecord... rollouts) {
        return new Batch(List.of(), Map.of(), Map.of(), Set.of(), List.of(rollouts));
    }

    static RolloutRecord requested(String id, Instant when, String to) {
        return requested(id, "the tag moved", when, new Change("main", WEB, Optional.of(A), to));
    }

    static RolloutRecord requested(String id, String why, Instant when, Change... changes) {
        return new RolloutRecord(
                id, WORKLOAD, why, List.of(changes), when, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static RolloutRecord ended(RolloutRecord rollout, Instant when, String outcome) {
        return new RolloutRecord(
                rollout.id(),
                rollout.workload(),
                rollout.why(),
                rollout.changes(),
                rollout.requested(),
                Optional.of(when),
                Optional.of(outcome),
                Optional.of("3 pods"));
    }
}
