package io.urunner.agent;

import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.WorkloadId;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** The status of a workload, for tests; by default, it has not been planned. */
public final class TestWorkloadStatus {
    private final WorkloadId id;
    private State state = State.NOT_PLANNED;
    private Optional<Decision> decision = Optional.empty();
    private List<Verdict> containers = List.of();
    private Map<String, SortedMap<String, Integer>> running = Map.of();
    private Map<String, String> images = Map.of();
    private Optional<Instant> nextLook = Optional.empty();
    private boolean rolloutRunning;
    private Optional<Instant> staleSince = Optional.empty();

    private TestWorkloadStatus(WorkloadId id) {
        this.id = id;
    }

    public static TestWorkloadStatus of(WorkloadId id) {
        return new TestWorkloadStatus(id);
    }

    public TestWorkloadStatus state(State value) {
        state = value;
        return this;
    }

    public TestWorkloadStatus decision(Decision value) {
        decision = Optional.of(value);
        return this;
    }

    public TestWorkloadStatus containers(TestVerdict... verdicts) {
        containers = Arrays.stream(verdicts).map(TestVerdict::build).toList();
        return this;
    }

    public TestWorkloadStatus running(String container, SortedMap<String, Integer> podsByDigest) {
        running = Map.of(container, podsByDigest);
        return this;
    }

    public TestWorkloadStatus image(String container, String text) {
        images = Map.of(container, text);
        return this;
    }

    public TestWorkloadStatus nextLook(Instant at) {
        nextLook = Optional.of(at);
        return this;
    }

    public TestWorkloadStatus rolloutRunning() {
        rolloutRunning = true;
        return this;
    }

    public TestWorkloadStatus staleSince(Optional<Instant> time) {
        staleSince = time;
        return this;
    }

    public WorkloadStatus build() {
        return new WorkloadStatus(
                id, state, decision, containers, running, images, nextLook, rolloutRunning, staleSince);
    }
}
