package io.urunner.agent;

import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Standing;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A rollout that this agent started, or found started.
 *
 * @param id unique among the workload's rollouts
 * @param workload the workload
 * @param why the reason, in words
 * @param changes the containers whose digest moved
 * @param requested when it was started
 */
public record Rollout(String id, WorkloadId workload, String why, List<Decision.Change> changes, Instant requested) {
    private static final String FOUND = "found under way";
    private static final String ROLLED_BACK = "rolled back by ";

    public Rollout {
        changes = List.copyOf(changes);
    }

    /**
     * A rollout that is about to be started.
     *
     * @param workload of which workload
     * @param decision as it was decided
     * @return the rollout
     */
    public static Rollout of(WorkloadId workload, Decision.Restart decision) {
        Instant at = decision.patch().restartedAt();
        return new Rollout(at.toString(), workload, decision.reason(), decision.changes(), at);
    }

    /**
     * Our last rollout of a workload as the workload itself tells it: what an agent that did not see it start needs to
     * follow it, because the answer to the patch was lost, or the agent that sent it is gone, or the store with its record.
     * Of what was pinned and has its tag again nothing is left to follow.
     *
     * @param workload the workload
     * @return the rollout, be it over or not; empty if there was none, or the template does not say so any more
     */
    public static Optional<Rollout> found(Workload workload) {
        Standing standing = Standing.of(workload);
        List<Decision.Change> brought = standing.brought();
        String why =
                standing.state().hold().map(held -> ROLLED_BACK + held.by()).orElse(FOUND);
        return brought.isEmpty()
                ? Optional.empty()
                : standing.state()
                        .lastAct()
                        .map(since -> new Rollout(since.toString(), workload.id(), why, brought, since));
    }

    /** What it brings. */
    public Set<ImageDigest> images() {
        return Admission.images(changes);
    }

    /** Whether it is known from annotations alone, which prove nothing to other namespaces. */
    public boolean isHearsay() {
        return isHearsay(why);
    }

    /**
     * Whether a rollout is known from its workload's annotations alone, so that whoever may write them may have made it up,
     * or was a rollback.
     *
     * @param why the rollout's reason, in words
     * @return true if it proves nothing to others
     */
    public static boolean isHearsay(String why) {
        return why.equals(FOUND) || why.startsWith(ROLLED_BACK);
    }
}
