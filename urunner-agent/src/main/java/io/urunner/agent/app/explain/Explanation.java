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
 * The state of workloads, with reasons. Immutable; contains no secrets.
 *
 * @param source who reports it: the running agent, or the command that looked itself
 * @param status the agent's status
 * @param workloads the requested workloads that are tracked
 * @param untracked why the requested workload or namespace is not tracked; empty if it is, or if all were requested
 * @param history why the history is not available; empty if it is
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
     * @param status its status
     * @param credentials by container the name of the credential with which its repository is read
     * @param routes by container how its image was last read: from which mirror, past which, through which proxy; without
     *     those that are reached directly
     * @param lastRollout its last rollout, if one is known
     * @param before by container the last known digest of its tag, if the current one is not known
     */
    public record Entry(
            WorkloadStatus status,
            Map<String, String> credentials,
            Map<String, String> routes,
            Optional<RolloutRecord> lastRollout,
            Map<String, TagDigest> before) {
        public Entry {
            credentials = Map.copyOf(credentials);
            routes = Map.copyOf(routes);
            before = Map.copyOf(before);
        }
    }

    /**
     * A requested workload that is not tracked, or a namespace without tracked workloads.
     *
     * @param namespace the namespace
     * @param workload the workload; empty if the namespace was requested
     * @param exists false if it is known not to exist
     * @param reason why it is not tracked, and what to do
     * @param meant the workloads with the requested name
     */
    public record Untracked(
            String namespace, Optional<WorkloadId> workload, boolean exists, String reason, List<WorkloadId> meant) {
        public Untracked {
            meant = List.copyOf(meant);
        }
    }

    /**
     * Tells whether the requested workload or namespace exists.
     *
     * @return false if it is known not to exist
     */
    public boolean found() {
        return untracked.map(Untracked::exists).orElse(true);
    }
}
