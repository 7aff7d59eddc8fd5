package io.urunner.agent;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WorkloadId;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The status of an agent at one moment. Immutable.
 *
 * @param at the moment
 * @param acts whether this agent is the one that acts
 * @param election the state of the election; empty if there is none
 * @param synced whether everything in the cluster that the agent is allowed to see has been seen once
 * @param namespaces the namespaces that are watched: those with the label
 * @param lost those that lost the label in the last day, or were deleted, and when
 * @param historyWorks whether the last use of the history database succeeded
 * @param lastPass when the last whole pass over a registry ended
 * @param problems what cannot be seen in the cluster
 * @param registries the registries
 * @param workloads the workloads
 */
public record AgentStatus(
        Instant at,
        boolean acts,
        Optional<Election> election,
        boolean synced,
        Set<String> namespaces,
        Map<String, Instant> lost,
        boolean historyWorks,
        Optional<Instant> lastPass,
        List<WatchProblem> problems,
        List<HostStatus> registries,
        List<WorkloadStatus> workloads) {
    public AgentStatus {
        namespaces = Collections.unmodifiableSet(new TreeSet<>(namespaces));
        lost = Collections.unmodifiableMap(new TreeMap<>(lost));
        problems = List.copyOf(problems);
        registries = List.copyOf(registries);
        workloads = List.copyOf(workloads);
    }

    /**
     * Returns why nothing of the cluster can be seen now, or none of the namespaces.
     *
     * @return the problem; empty if something can
     */
    public Optional<WatchProblem> blindness() {
        return blindness(problems, namespaces);
    }

    /**
     * Whether everything in the cluster is known: it was seen, and nothing of it is hidden now.
     *
     * @return true if what is not listed here does not exist
     */
    public boolean isWhole() {
        return synced && problems.isEmpty();
    }

    /**
     * Why the whole API server cannot be seen, or why nothing is watched because namespaces cannot be seen.
     *
     * @param problems what the watch cannot see
     * @param namespaces the namespaces that are watched
     * @return the reason; empty if neither is so
     */
    public static Optional<WatchProblem> blindness(List<WatchProblem> problems, Set<String> namespaces) {
        return problems.stream()
                .filter(problem -> problem.resource().isEmpty()
                        || (namespaces.isEmpty() && problem.resource().equals("namespaces")))
                .findFirst();
    }

    /**
     * Whether the agent keeps running, unlike one that makes a single pass.
     *
     * @return true if it acts, or stands by
     */
    public boolean goesOn() {
        return acts || election.isPresent();
    }

    /**
     * The state of the election of the agent that acts.
     *
     * @param identity the name of this agent
     * @param leader the name of the agent that acts, as far as this one knows
     * @param problem why the Lease cannot be read or written now
     */
    public record Election(String identity, Optional<String> leader, Optional<String> problem) {}

    /**
     * The status of one workload.
     *
     * @param id which one
     * @param state how it is
     * @param decision what is done with it; empty until it is planned
     * @param containers what the rules say about each container
     * @param running by container and digest, how many pods of any revision run it
     * @param images by container, the image as its template names it
     * @param nextLook when it continues, if it waits until a known time; otherwise when a registry is next asked for it;
     *     empty if neither happens by itself
     * @param rolloutRunning whether a rollout that we started is under way
     * @param staleSince since when the pods are behind a tag that moved; empty if they are not
     */
    public record WorkloadStatus(
            WorkloadId id,
            State state,
            Optional<Decision> decision,
            List<Verdict> containers,
            Map<String, SortedMap<String, Integer>> running,
            Map<String, String> images,
            Optional<Instant> nextLook,
            boolean rolloutRunning,
            Optional<Instant> staleSince) {
        public WorkloadStatus {
            containers = List.copyOf(containers);
            running = Map.copyOf(running);
            images = Map.copyOf(images);
        }
    }
}
