package io.urunner.agent;

import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.kube.WatchProblem;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The status of an agent, for tests; by default, it acts, has seen everything, and there is nothing. */
public final class TestAgentStatus {
    private final Instant at;
    private boolean acts = true;
    private Optional<AgentStatus.Election> election = Optional.empty();
    private boolean synced = true;
    private Set<String> namespaces = Set.of();
    private Map<String, Instant> lost = Map.of();
    private boolean historyWorks = true;
    private Optional<Instant> lastPass = Optional.empty();
    private List<WatchProblem> problems = List.of();
    private List<HostStatus> registries = List.of();
    private List<WorkloadStatus> workloads = List.of();

    private TestAgentStatus(Instant at) {
        this.at = at;
    }

    public static TestAgentStatus at(Instant time) {
        return new TestAgentStatus(time);
    }

    public TestAgentStatus acts(boolean whether) {
        acts = whether;
        return this;
    }

    public TestAgentStatus election(String identity, Optional<String> leader) {
        election = Optional.of(new AgentStatus.Election(identity, leader, Optional.empty()));
        return this;
    }

    public TestAgentStatus notSynced() {
        synced = false;
        return this;
    }

    public TestAgentStatus namespaces(String... names) {
        namespaces = Set.of(names);
        return this;
    }

    public TestAgentStatus lost(String namespace, Instant time) {
        lost = Map.of(namespace, time);
        return this;
    }

    public TestAgentStatus historyFails() {
        historyWorks = false;
        return this;
    }

    public TestAgentStatus lastPass(Instant time) {
        lastPass = Optional.of(time);
        return this;
    }

    public TestAgentStatus problems(List<WatchProblem> all) {
        problems = all;
        return this;
    }

    public TestAgentStatus registries(HostStatus... all) {
        registries = List.of(all);
        return this;
    }

    public TestAgentStatus workloads(List<WorkloadStatus> all) {
        workloads = all;
        return this;
    }

    public AgentStatus build() {
        return new AgentStatus(
                at, acts, election, synced, namespaces, lost, historyWorks, lastPass, problems, registries, workloads);
    }
}
