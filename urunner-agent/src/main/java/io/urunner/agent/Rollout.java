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
 * A rollout that this agent started, or found already started.
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
     * Returns a rollout that is about to be started.
     *
     * @param workload the workload
     * @param decision the decision behind it
     * @return the rollout
     */
    public static Rollout of(WorkloadId workload, Decision.Restart decision) {
        Instant at = decision.patch().restartedAt();
        return new Rollout(at.toString(), workload, decision.reason(), decision.changes(), at);
    }

    /**
     * Returns our last rollout of a workload as its annotations describe it: what an agent needs to follow a rollout that
     * it did not see start, because the answer to the patch was lost, or the agent that sent it or the store with its
     * record is gone. Nothing is left to follow of a workload that was pinned and has its tag again.
     *
     * @param workload the workload
     * @return the rollout, whether over or not; empty if there was none, or the template no longer says so
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

    /** The digests that it rolls out. */
    public Set<ImageDigest> images() {
        return Admission.images(changes);
    }

    /** Whether it is known only from annotations, which prove nothing to other namespaces. */
    public boolean isHearsay() {
        return isHearsay(why);
    }

    /**
     * Whether a rollout is known only from its workload's annotations, so that anybody who is allowed to write them may have
     * made it up, or whether it was a rollback.
     *
     * @param why the rollout's reason, in words
     * @return true if it proves nothing to others
     */
    public static boolean isHearsay(String why) {
        return why.equals(FOUND) || why.startsWith(ROLLED_BACK);
    }
}
