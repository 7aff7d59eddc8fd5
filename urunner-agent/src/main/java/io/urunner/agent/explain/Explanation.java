package io.urunner.agent.explain;

import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.RolloutRecord;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How it stands with the workloads, and why. Immutable; it holds no secret.
 *
 * @param source who says so: the running agent, or the look that a command took by itself
 * @param status how it stands with the agent
 * @param workloads the workloads that were asked for, as far as they are tracked
 * @param untracked why the workload that was asked for is not tracked; empty if it is, or none was asked for
 * @param history why the history cannot be told; empty if it can
 */
public record Explanation(
        String source,
        AgentStatus status,
        List<Entry> workloads,
        Optional<Untracked> untracked,
        Optional<String> history) {
    public Explanation {
        workloads = List.copyOf(workloads);
    }

    /**
     * A tracked workload.
     *
     * @param status what was decided for it
     * @param credentials by container the name of the credential with which its repository is read
     * @param lastRollout its last rollout, if one is known
     */
    public record Entry(WorkloadStatus status, Map<String, String> credentials, Optional<RolloutRecord> lastRollout) {
        public Entry {
            credentials = Map.copyOf(credentials);
        }
    }

    /**
     * A workload that is not tracked.
     *
     * @param workload which one
     * @param exists whether there is such a workload, as far as can be told
     * @param reason why it is not tracked, and what to do
     */
    public record Untracked(WorkloadId workload, boolean exists, String reason) {}

    /**
     * Whether what was asked for is there.
     *
     * @return false if the workload that was asked for does not exist
     */
    public boolean found() {
        return untracked.map(Untracked::exists).orElse(true);
    }
}
