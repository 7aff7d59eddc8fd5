package io.urunner.kube;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestWorkload;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RevisionsTest {
    @Test
    void aDeploymentsCurrentReplicaSetIsTheOneWithItsRevision() {
        List<Observed.Revision> replicaSets = List.of(
                revision("rs1", "u", "1", "h1"), revision("rs2", "u", "2", "h2"), revision("rs3", "u", "10", "h3"));
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
    void noPodHasATemplateThatTheControllerHasNotSeen() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DEPLOYMENT, false, Optional.of("1")),
                List.of(revision("rs1", "u", "1", "h1")),
                owner -> List.of(pod("p", owner, "h1")));
        assertThat(workload.currentRevision()).isEmpty();
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(false);
    }

    @Test
    void aReplicaSetThatHasNotBeenSeenLeavesTheRevisionUnknown() {
        Workload workload = Revisions.assemble(
                object(WorkloadKind.DEPLOYMENT, true, Optional.of("2")),
                List.of(revision("rs1", "u", "1", "h1")),
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
                List.of(revision("c9", "u", "9", "h9"), revision("c10", "u", "10", "h10")),
                owner -> List.of(pod("a", "u", "h10"), pod("b", "u", "h9")));
        assertThat(workload.currentRevision()).contains("h10");
        assertThat(workload.pods()).extracting(Pod::ofCurrentRevision).containsExactly(true, false);
    }

    @Test
    void theStateThatAnUndoRemovedIsReadFromThePreviousReplicaSet() {
        String first = state("D1", "2030-01-01T00:00:00Z");
        String second = state("D2", "2030-01-02T00:00:00Z");
        List<Observed.Revision> replicaSets = List.of(
                revision("rs0", "u", "1", "h0"),
                new Observed.Revision("rs1", "u", "4", "h1", Observed.State.of(first)),
                new Observed.Revision("rs2", "u", "3", "h2", Observed.State.of(second)));

        assertThat(stateOf(Map.of(Workload.STATE, first), replicaSets)).isEqualTo(second);
        assertThat(stateOf(Map.of(), replicaSets)).isEqualTo(second);
    }

    @Test
    void aDeploymentsOwnStateCountsUnlessACopyIsNewer() {
        String copy = state("D2", "2030-01-02T00:00:00Z");
        List<Observed.Revision> replicaSets =
                List.of(new Observed.Revision("rs2", "u", "3", "h2", Observed.State.of(copy)));
        String later = state("D3", "2030-01-03T00:00:00Z");
        String written = state("D2\",\"rejected\":\"D2", "2030-01-02T00:00:00Z");

        assertThat(stateOf(Map.of(Workload.STATE, later), replicaSets)).isEqualTo(later);
        assertThat(stateOf(Map.of(Workload.STATE, written), replicaSets)).isEqualTo(written);
    }

    @Test
    void onlyFieldManagersThatChangedTheTemplateSinceOurLastChangeAreNamed() {
        List<Observed.Manager> managers = List.of(
                new Observed.Manager("kubectl-rollout", Instant.parse("2030-01-02T00:00:09Z")),
                new Observed.Manager("urunner", Instant.parse("2030-01-02T00:00:00Z")),
                new Observed.Manager("kubectl-create", Instant.parse("2030-01-01T00:00:00Z")));

        assertThat(managers(Map.of(Workload.STATE, state("D2", "2030-01-02T00:00:00.5Z")), managers))
                .containsExactly("kubectl-rollout", "urunner");
        assertThat(managers(Map.of(), managers)).containsExactly("kubectl-rollout", "urunner", "kubectl-create");
    }

    private static String state(String acted, String at) {
        return "{\"containers\":{\"app\":{\"reference\":\"r\",\"acted\":\"" + acted + "\",\"actedAt\":\"" + at
                + "\"}}}";
    }

    private static @Nullable String stateOf(Map<String, String> annotations, List<Observed.Revision> replicaSets) {
        return Revisions.assemble(object(annotations, List.of()), replicaSets, owner -> List.of())
                .annotations()
                .get(Workload.STATE);
    }

    private static List<String> managers(Map<String, String> annotations, List<Observed.Manager> managers) {
        return Revisions.assemble(object(annotations, managers), List.of(), owner -> List.of())
                .templateManagers();
    }

    private static Observed.WorkloadObject object(Map<String, String> annotations, List<Observed.Manager> managers) {
        return object(WorkloadKind.DEPLOYMENT, true, Optional.of("4"), annotations, managers);
    }

    private static Observed.PodObject pod(String name, String owner, String hash) {
        return new Observed.PodObject(
                name, owner, hash, TestPod.named(name).ofCurrentRevision(false).build());
    }

    private static Observed.WorkloadObject object(WorkloadKind kind, boolean observed, Optional<String> revision) {
        return object(kind, observed, revision, Map.of(), List.of());
    }

    private static Observed.WorkloadObject object(
            WorkloadKind kind,
            boolean observed,
            Optional<String> revision,
            Map<String, String> annotations,
            List<Observed.Manager> managers) {
        return new Observed.WorkloadObject(
                TestWorkload.of(new WorkloadId("n", kind, "w"))
                        .uid("u")
                        .annotations(annotations)
                        .rollout(wanted(1).observed(observed))
                        .build(),
                revision,
                managers);
    }

    private static Observed.Revision revision(String uid, String owner, String number, String hash) {
        return new Observed.Revision(uid, owner, number, hash, Optional.empty());
    }
}
