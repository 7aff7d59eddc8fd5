package io.urunner.agent.plan;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Our last rollout of a workload as the workload itself tells it: what an agent that did not see it start needs to follow
 * it, because the answer to the patch was lost, or the agent that sent it is gone, or the store with its record. Of what
 * was pinned and has its tag again nothing is left to follow.
 *
 * @param since when it was decided
 * @param why why, in words
 * @param changes the containers whose digest it brought
 * @param digests what the template says
 */
public record Underway(Instant since, String why, List<Decision.Change> changes, DigestsAnnotation digests) {
    private static final String FOUND = "found under way";
    private static final String ROLLED_BACK = "rolled back by ";

    public Underway {
        changes = List.copyOf(changes);
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

    /**
     * Reads it from the workload's annotations.
     *
     * @param workload the workload
     * @return the rollout, be it over or not; empty if there was none, or the template does not say so any more
     */
    public static Optional<Underway> of(Workload workload) {
        WorkloadState state = States.of(workload);
        DigestsAnnotation digests = States.digests(workload);
        List<Decision.Change> changes = new ArrayList<>();
        States.brought(state).forEach((container, written) -> {
            Optional<String> from = written.replaced().size() == 1
                    ? Optional.of(written.replaced().get(0))
                    : Optional.empty();
            written.acted()
                    .filter(digest ->
                            digests.digest(container, written.reference()).equals(Optional.of(digest)))
                    .filter(digest -> !isTakenBack(workload, container, written))
                    .ifPresent(
                            digest -> changes.add(new Decision.Change(container, written.reference(), from, digest)));
        });
        String why = state.hold().map(held -> ROLLED_BACK + held.by()).orElse(FOUND);
        return changes.isEmpty()
                ? Optional.empty()
                : state.lastAct().map(since -> new Underway(since, why, changes, digests));
    }

    /** Whether somebody put the tag back into a container that was pinned. */
    static boolean isTakenBack(Workload workload, String container, ContainerState written) {
        return workload.containers().stream()
                .anyMatch(each -> each.name().equals(container) && Pin.isTakenBack(each, written));
    }
}
