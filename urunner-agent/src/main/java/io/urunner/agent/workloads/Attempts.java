package io.urunner.agent.workloads;

import io.urunner.agent.loop.Pace;
import io.urunner.agent.plan.Decision;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Tracks the patches of one workload: what is under way, what failed, and when it may be retried. Times are the loop's,
 * which nobody can set. On the loop.
 */
public final class Attempts {
    /** How many requests about one workload go to the API server per {@link #MINUTE}. */
    private static final int REQUESTS = 30;

    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** How many conflicts in a row lead to a new plan; then the next change of the workload is awaited. */
    private static final int CONFLICTS = 5;

    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(4);
    private static final Duration PERMISSION_RETRY = Duration.ofMinutes(1);

    /** How often the same is written for the same push; beyond that, somebody keeps undoing it. */
    private static final int UNDONE = 2;

    private static final int LONGEST_UNDONE = 14;
    /** How many reasons are remembered. */
    private static final int REASONS = 4;
    /** What was written is considered lasting if nobody undoes it for this long. */
    private static final Duration LASTS = Duration.ofHours(1);

    /** Why a patch was not accepted, which determines when it is retried. */
    public enum Failure {
        /** A permission is missing: somebody will grant it sooner or later. */
        FORBIDDEN,
        /** The cluster rejects it, and will still reject it a second later. */
        REFUSED,
        /** The API server did not answer, or is overloaded. */
        PASSING
    }

    /** What was written for one reason, which should not be needed twice. */
    private static final class Written {
        private int times;
        private Instant notBefore = Instant.MIN;
    }

    private boolean underWay;
    /** What the last patch was to start, if it was a rollout. */
    private Optional<Decision.Restart> starting = Optional.empty();
    /** How many in a row failed. */
    private int failures;

    private Instant notBefore = Instant.MIN;
    private Optional<String> missingPermission = Optional.empty();
    private Optional<String> problem = Optional.empty();
    private final Map<Integer, Written> written = new LinkedHashMap<>();
    /** When the API server was asked, in the last minute. */
    private final Deque<Instant> requests = new ArrayDeque<>();

    /** A patch is under way; {@code restart} is the rollout that it starts, if any. */
    public void sent(Optional<Decision.Restart> restart, Instant now) {
        underWay = true;
        starting = restart;
        requests.add(now);
    }

    /** The patch is over, however it ended. */
    public void over() {
        underWay = false;
    }

    /**
     * The API server accepted the patch.
     *
     * @param reason what the patch says and why: a second one with the same reason means that the first was undone
     * @return false if what is written does not last and is therefore written less and less often
     */
    public boolean accepted(String reason, Instant now) {
        failures = 0;
        missingPermission = Optional.empty();
        problem = Optional.empty();
        Written same = written.computeIfAbsent(reason.hashCode(), added -> new Written());
        if (written.size() > REASONS) {
            written.remove(written.keySet().iterator().next());
        }
        boolean longAgo = same.notBefore.isBefore(now.minus(LASTS));
        same.times = longAgo ? 1 : same.times + 1;
        boolean lasts = same.times <= UNDONE;
        // 8 s, a minute, eight minutes, an hour, four and a half: each may be a rollout.
        same.notBefore =
                lasts ? now : now.plus(RETRY.multipliedBy(1L << Math.min(3 * (same.times - UNDONE), LONGEST_UNDONE)));
        return lasts;
    }

    /** The workload was changed in the meantime, and was read. */
    public void conflicted(Instant now) {
        requests.add(now);
        failures++;
        if (failures >= CONFLICTS) {
            notBefore = now.plus(RETRY);
        }
    }

    /**
     * The patch failed.
     *
     * @return how long until the next try
     */
    public Duration failed(Failure failure, String words, Instant now) {
        failures++;
        Duration delay = switch (failure) {
            case FORBIDDEN -> PERMISSION_RETRY;
            case REFUSED -> Pace.backOff(RETRY, failures);
            case PASSING -> Pace.min(RETRY.multipliedBy(1L << Math.min(10, failures - 1)), LONGEST_RETRY);
        };
        notBefore = now.plus(delay);
        missingPermission = failure == Failure.FORBIDDEN ? Optional.of(words) : Optional.empty();
        problem = Optional.of(words);
        return delay;
    }

    /** The pause after a failure is over: the permission may have been granted. */
    public void mayTryAgain() {
        missingPermission = Optional.empty();
    }

    /** Until when no more requests about it are allowed; empty if another one is. */
    public Optional<Instant> tooManyUntil(Instant now) {
        while (!requests.isEmpty() && !requests.peek().plus(MINUTE).isAfter(now)) {
            requests.remove();
        }
        // A patch that is refused for a conflict is followed by a read.
        return requests.size() + 2 <= REQUESTS
                ? Optional.empty()
                : Optional.of(requests.peek().plus(MINUTE));
    }

    /** Until when it must not be patched for a reason; empty if it may be now. */
    public Optional<Instant> pausedUntil(String reason, Instant now) {
        Instant same = Optional.ofNullable(written.get(reason.hashCode()))
                .map(one -> one.notBefore)
                .orElse(notBefore);
        return Stream.concat(tooManyUntil(now).stream(), Stream.of(notBefore, same))
                .filter(now::isBefore)
                .max(Instant::compareTo);
    }

    /** Whether a patch or a read of it is under way. */
    public boolean underWay() {
        return underWay;
    }

    /** The rollout that the last patch was to start. */
    Optional<Decision.Restart> starting() {
        return starting;
    }

    public Optional<String> missingPermission() {
        return missingPermission;
    }

    /** What went wrong the last time it was changed. */
    public Optional<String> problem() {
        return problem;
    }
}
