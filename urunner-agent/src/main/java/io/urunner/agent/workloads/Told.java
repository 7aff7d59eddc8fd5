package io.urunner.agent.workloads;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What people were told of a workload, by this agent or by the one that acts. On the loop. */
public final class Told {
    private Optional<String> decision = Optional.empty();
    private Instant at = Instant.MIN;
    /** The notices that they were told and that still hold. */
    private Set<String> notices = Set.of();
    /** Whether its pods were not what they should be, and that did not turn out well since. */
    private boolean ill;

    /** Whether they were told no decision yet. */
    public boolean nothing() {
        return decision.isEmpty();
    }

    /** These notices hold now. Returns those that are new. */
    public List<String> notices(Collection<String> now) {
        List<String> added =
                now.stream().filter(notice -> !notices.contains(notice)).toList();
        notices = Set.copyOf(now);
        return added;
    }

    /** They are told a decision. Returns whether it is another one than the last. */
    public boolean decision(String words, Instant now) {
        if (decision.equals(Optional.of(words))) {
            return false;
        }
        decision = Optional.of(words);
        at = now;
        return true;
    }

    /** What was to be told after this moment may have been told by nobody. */
    public void forgetAfter(Instant since) {
        if (at.isAfter(since)) {
            decision = Optional.empty();
        }
    }

    /** Its pods are what they should be, or not, or neither is known. Returns whether they recovered. */
    public boolean pods(boolean well, boolean nowIll) {
        boolean recovered = well && ill;
        ill = nowIll || (ill && !well);
        return recovered;
    }
}
