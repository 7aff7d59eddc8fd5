package io.urunner.agent.plan;

import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The plan for one workload.
 *
 * @param workload which one
 * @param decision what is done with it now
 * @param verdicts what the rules say about each container, in the template's order
 * @param remember by tracked container, the digest to remember from now on; for a {@link Decision.Restart} only after the
 *     patch was accepted
 * @param state what to write on the workload without touching its template, for example a rejection that was discovered;
 *     empty if there is nothing to write (a {@link Decision.Restart} has its own)
 * @param notices what happened that should be reported once
 */
public record Plan(
        WorkloadId workload,
        Decision decision,
        List<Verdict> verdicts,
        Map<String, Remembered> remember,
        Optional<WorkloadState> state,
        List<String> notices) {
    public Plan {
        verdicts = List.copyOf(verdicts);
        remember = Map.copyOf(remember);
        notices = List.copyOf(notices);
    }

    /**
     * Returns the same plan with another decision, for what only a view of all workloads can show.
     *
     * @param other the decision
     * @return the plan
     */
    public Plan with(Decision other) {
        return new Plan(
                workload, other, verdicts, other instanceof Decision.Restart ? remember : Map.of(), state, notices);
    }

    /**
     * What to remember for a container.
     *
     * @param reference its reference
     * @param digest the digest
     */
    public record Remembered(ImageReference reference, Digest digest) {}
}
