package io.urunner.agent.plan;

import io.urunner.agent.text.Phrases;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A period in which pods of a workload do not run. A container that crashes again and again is up in between: that does
 * not end the trouble.
 *
 * @param since when it began
 * @param last when it was last seen
 * @param over whether the pods run now
 * @param words what the pods or the controllers say, or last said
 */
public record Trouble(Instant since, Instant last, boolean over, String words) {
    /** Trouble counts only after this time: a pull that fails may work the next time. */
    private static final Duration LASTS = Duration.ofSeconds(20);

    /** Trouble ends only after this time: what crashed may crash again. */
    private static final Duration RELAPSE = Duration.ofMinutes(2);

    /**
     * Returns the trouble as of a new snapshot.
     *
     * @param before the trouble before
     * @param workload the workload as it is now
     * @param now when it was seen
     * @return the trouble; empty if there is none
     */
    public static Optional<Trouble> seen(Optional<Trouble> before, Workload workload, Instant now) {
        Optional<Trouble> known = before.filter(trouble -> trouble.counts(now));
        return words(workload)
                .map(words -> new Trouble(known.map(Trouble::since).orElse(now), now, false, words))
                .or(() -> known.filter(trouble -> crashed(workload)).map(trouble -> trouble.ends(now)));
    }

    private static Optional<String> words(Workload workload) {
        if (RolloutProgress.of(workload) instanceof RolloutProgress.Failed failed) {
            return Optional.of(failed.reason());
        }
        RolloutStatus rollout = workload.rollout();
        boolean oldPodsStay = rollout.paused() || rollout.onDelete() || rollout.partition() > 0;
        return oldPodsStay && rollout.available() < rollout.desired()
                ? workload.pods().stream()
                        .filter(Running::isLive)
                        .flatMap(pod -> pod.trouble().stream())
                        .findFirst()
                : Optional.empty();
    }

    private static boolean crashed(Workload workload) {
        return workload.pods().stream()
                .filter(Pod::counts)
                .flatMap(pod -> pod.containers().stream())
                .anyMatch(container -> container.restarts() > 0);
    }

    private Trouble ends(Instant now) {
        return over ? this : new Trouble(since, now, true, words);
    }

    /** Whether it is not over, or has not been over for long. */
    boolean counts(Instant now) {
        return !over || now.isBefore(last.plus(RELAPSE));
    }

    /** Whether it has lasted long enough not to be transient. */
    boolean lasts(Instant now) {
        return counts(now) && !(over ? last : now).isBefore(since.plus(LASTS));
    }

    /** When it starts or stops counting by time alone. */
    Instant changesAt() {
        return over ? last.plus(RELAPSE) : since.plus(LASTS);
    }

    /** What is wrong, for people. */
    String told() {
        return over
                ? words + "; it has been up since " + Phrases.time(last)
                        + ", and counts as recovered if that lasts until " + Phrases.time(last.plus(RELAPSE))
                : words;
    }
}
