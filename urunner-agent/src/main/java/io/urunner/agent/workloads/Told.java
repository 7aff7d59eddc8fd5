package io.urunner.agent.workloads;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What was reported about a workload, by this agent or by the one that acts. On the loop. */
public final class Told {
    private Optional<String> decision = Optional.empty();
    private Instant at = Instant.MIN;
    /** The notices that were reported and still apply. */
    private Set<String> notices = Set.of();
    /** Whether its pods were not what they should be, and have not recovered since. */
    private boolean ill;

    /** Whether no decision has been reported yet. */
    public boolean nothing() {
        return decision.isEmpty();
    }

    /** These notices apply now. Returns those that are new. */
    public List<String> notices(Collection<String> now) {
        List<String> added =
                now.stream().filter(notice -> !notices.contains(notice)).toList();
        notices = Set.copyOf(now);
        return added;
    }

    /** A decision is reported. Returns whether it differs from the last one. */
    public boolean decision(String words, Instant now) {
        if (decision.equals(Optional.of(words))) {
            return false;
        }
        decision = Optional.of(words);
        at = now;
        return true;
    }

    /** Nobody may have reported what happened after this moment. */
    public void forgetAfter(Instant since) {
        if (at.isAfter(since)) {
            decision = Optional.empty();
        }
    }

    /** Its pods are what they should be, or are not, or neither is known. Returns whether they recovered. */
    public boolean pods(boolean well, boolean nowIll) {
        boolean recovered = well && ill;
        ill = nowIll || (ill && !well);
        return recovered;
    }
}
