package io.urunner.agent.plan;

import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What our own rollouts have shown, regardless of annotations. It is the only influence of other namespaces on a
 * decision, and for a limited time: starting, failing or hanging over and over does not prolong it. Not thread-safe.
 */
public final class Experience {
    private static final int IMAGES = 5_000;
    private static final int NAMESPACES = 1_000;

    /** How many namespaces must fail: a single one may have its own reasons. */
    private static final int CONFIRMED = 2;

    /** How long others wait for a namespace whose last rollout did not end in time. */
    private static final Duration SHORT = Duration.ofMinutes(1);

    private final Duration patience;
    private final Map<ImageDigest, Tries> images = new LinkedHashMap<>();
    private final Map<String, Instant> lastBegun = new LinkedHashMap<>();
    private final Set<String> late = new LinkedHashSet<>();

    /** The results of an image in all namespaces. */
    private static final class Tries {
        private final Instant first;
        private boolean worked;
        /** By namespace, when it first failed there; for a few namespaces. */
        private final Map<String, Instant> failed = new HashMap<>();

        Tries(Instant first) {
            this.first = first;
        }
    }

    /**
     * Creates an experience without any rollout.
     *
     * @param patience how long to wait for a rollout that does not end
     */
    public Experience(Duration patience) {
        this.patience = patience;
    }

    /**
     * We started a rollout.
     *
     * @param workload the workload
     * @param brought the images that it brings
     * @param when when it started
     */
    public void begun(WorkloadId workload, Collection<ImageDigest> brought, Instant when) {
        for (ImageDigest image : brought) {
            Tries known = images.get(image);
            if (known == null || known.first.isAfter(when)) {
                Tries tries = new Tries(when);
                if (known != null) {
                    tries.worked = known.worked;
                    tries.failed.putAll(known.failed);
                }
                images.put(image, tries);
            }
        }
        Instant last = lastBegun.remove(workload.namespace());
        lastBegun.put(workload.namespace(), last == null || last.isBefore(when) ? when : last);
        forget(images.keySet(), IMAGES);
        forget(lastBegun.keySet(), NAMESPACES);
    }

    /**
     * A rollout of ours ended.
     *
     * @param workload the workload
     * @param brought the images that it brought
     * @param when when it ended
     * @param outcome how it ended
     */
    public void ended(WorkloadId workload, Collection<ImageDigest> brought, Instant when, Outcome outcome) {
        String namespace = workload.namespace();
        if (outcome instanceof Outcome.TimedOut) {
            late.add(namespace);
            forget(late, NAMESPACES);
        } else if (outcome instanceof Outcome.Succeeded) {
            late.remove(namespace);
        }
        for (ImageDigest image : brought) {
            Optional<Tries> tries = Optional.ofNullable(images.get(image));
            if (outcome instanceof Outcome.Succeeded) {
                tries.ifPresent(known -> known.worked = true);
            } else if (outcome instanceof Outcome.Failed failed && failed.quarantine()) {
                tries.filter(known -> known.failed.size() <= CONFIRMED)
                        .ifPresent(known -> known.failed.putIfAbsent(namespace, when));
            }
        }
    }

    /** Removes the oldest ones. */
    private static void forget(Set<?> known, int most) {
        while (known.size() > most) {
            known.remove(known.iterator().next());
        }
    }

    /**
     * Returns how long a rollout that does not end may keep other namespaces waiting.
     *
     * @param namespace the namespace of the rollout
     * @return how long from its start
     */
    public Duration hold(String namespace) {
        return late.contains(namespace) && SHORT.compareTo(patience) < 0 ? SHORT : patience;
    }

    /** Until when to wait for rollouts of an image elsewhere; empty once it has worked somewhere. */
    Optional<Instant> triedUntil(ImageDigest image, Instant now) {
        Tries tries = images.get(image);
        Instant until = (tries == null ? now : tries.first).plus(patience);
        return (tries == null || !tries.worked) && until.isAfter(now) ? Optional.of(until) : Optional.empty();
    }

    /** Until when an image is not tried in a namespace, because it failed in several others and has worked nowhere. */
    Optional<Instant> failedElsewhereUntil(ImageDigest image, String namespace, Instant now) {
        Tries tries = images.get(image);
        if (tries == null || tries.worked) {
            return Optional.empty();
        }
        return tries.failed.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(namespace))
                .map(Map.Entry::getValue)
                .filter(when -> !States.isOfAWrongClock(when, now))
                .sorted()
                .skip(CONFIRMED - 1)
                .findFirst()
                .map(confirmed -> confirmed.plus(patience))
                .filter(now::isBefore);
    }

    /** When the last rollout of a namespace began; the distant past if none did. */
    Instant lastBegun(String namespace) {
        return lastBegun.getOrDefault(namespace, Instant.MIN);
    }
}
