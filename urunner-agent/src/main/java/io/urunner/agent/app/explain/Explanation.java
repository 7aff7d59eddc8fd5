package io.urunner.agent.app.explain;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How it stands with the workloads, and why. Immutable; it holds no secret.
 *
 * @param source who says so: the running agent, or the look that a command took by itself
 * @param status how it stands with the agent
 * @param workloads the workloads that were asked for, as far as they are tracked
 * @param untracked why what was asked for is not tracked; empty if it is, or nothing was asked for by name
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
     * @param before by container the digest that its tag had last, where it is not known now
     */
    public record Entry(
            WorkloadStatus status,
            Map<String, String> credentials,
            Optional<RolloutRecord> lastRollout,
            Map<String, TagDigest> before) {
        public Entry {
            credentials = Map.copyOf(credentials);
            before = Map.copyOf(before);
        }
    }

    /**
     * What was asked for and is not tracked: a workload, or a namespace in which no workload is.
     *
     * @param namespace the namespace
     * @param workload which workload in it; empty if the namespace was asked for
     * @param exists whether there is such a workload or namespace, as far as can be told
     * @param reason why it is not tracked, and what to do
     * @param meant the workloads that have the name that was asked for
     */
    public record Untracked(
            String namespace, Optional<WorkloadId> workload, boolean exists, String reason, List<WorkloadId> meant) {
        public Untracked {
            meant = List.copyOf(meant);
        }
    }

    /**
     * Whether what was asked for is there.
     *
     * @return false if the workload or the namespace that was asked for does not exist
     */
    public boolean found() {
        return untracked.map(Untracked::exists).orElse(true);
    }
}
