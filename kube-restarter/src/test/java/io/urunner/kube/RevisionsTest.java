package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RevisionsTest {
    @Test
    void aDeploymentsCurrentReplicaSetIsTheOneWithItsRevision() {
        List<Observed.Revision> replicaSets = List.of(
                new Observed.Revision("rs1", "u", "1", "h1"),
                new Observed.Revision("rs2", "u", "2", "h2"),
                new Observed.Revision("rs3", "u", "10", "h3"));
        Map<String, List<Observed.PodObject>> pods =
                Map.of("rs1", List.of(pod("old", "rs1", "h1")), "rs3", List.of(pod("new", "rs3", "h3")));
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DEPLOYMENT, true, Optional.of("10")),
                replicaSets,
                owner -> pods.getOrDefault(owner, List.of()));
        assertThat(workload.currentRevision()).contains("h3");
        assertThat(workload.pods()).extracting(Pod::name).containsExactly("new", "old");
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(true, false);
    }

    @Test
    void asLongAsTheControllerHasNotSeenTheTemplateNoPodIsOfIt() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DEPLOYMENT, false, Optional.of("1")),
                List.of(new Observed.Revision("rs1", "u", "1", "h1")),
                owner -> List.of(pod("p", owner, "h1")));
        assertThat(workload.currentRevision()).isEmpty();
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(false);
    }

    @Test
    void aReplicaSetThatWasNotSeenYetLeavesTheRevisionUnknown() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DEPLOYMENT, true, Optional.of("2")),
                List.of(new Observed.Revision("rs1", "u", "1", "h1")),
                owner -> List.of(pod("p", owner, "h1")));
        assertThat(workload.currentRevision()).isEmpty();
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(false);
    }

    @Test
    void aStatefulSetsStatusNamesItsRevision() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.STATEFUL_SET, true, Optional.of("w-2")),
                List.of(),
                owner -> owner.equals("u") ? List.of(pod("w-0", "u", "w-1"), pod("w-1", "u", "w-2")) : List.of());
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(false, true);
    }

    @Test
    void aDaemonSetsNewestRevisionIsTheOneWithTheHighestNumber() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DAEMON_SET, true, Optional.empty()),
                List.of(new Observed.Revision("c9", "u", "9", "h9"), new Observed.Revision("c10", "u", "10", "h10")),
                owner -> List.of(pod("a", "u", "h10"), pod("b", "u", "h9")));
        assertThat(workload.currentRevision()).contains("h10");
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(true, false);
    }

    private static Observed.PodObject pod(String name, String owner, String hash) {
        return new Observed.PodObject(
                name, owner, hash, new Pod(name, name, false, false, "Running", true, Optional.empty(), List.of()));
    }

    private static Observed.WorkloadObject object(WorkloadKind kind, boolean observed, Optional<String> revision) {
        RolloutStatus rollout =
                new RolloutStatus(1, observed, false, false, 0, 1, 1, 1, 1, Optional.empty(), Optional.empty());
        return new Observed.WorkloadObject(
                new Workload(
                        new WorkloadId("n", kind, "w"),
                        "u",
                        "1",
                        1,
                        Map.of(),
                        Map.of(),
                        List.of(),
                        List.of(),
                        "default",
                        rollout,
                        Optional.empty(),
                        List.of(),
                        List.of()),
                revision);
    }
}
