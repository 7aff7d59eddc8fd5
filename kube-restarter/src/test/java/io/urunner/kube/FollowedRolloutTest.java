package io.urunner.kube;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestWorkload;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FollowedRolloutTest {
    private static final Optional<String> NO = Optional.empty();
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    /** Elapsed time may be negative, and may overflow. */
    private static final long BEGIN = Long.MAX_VALUE - 5 * SECOND;

    private static final DigestsAnnotation OURS = new DigestsAnnotation(new TreeMap<>(Map.of("app", "app:latest@new")));
    private static final DigestsAnnotation OTHERS =
            new DigestsAnnotation(new TreeMap<>(Map.of("app", "app:latest@other")));

    private final FollowedRollout rollout = new FollowedRollout(OURS, 2, Duration.ofSeconds(20));

    @Test
    void aSnapshotFromBeforeThePatchIsIgnored() {
        assertThat(look(0, workload(1, OTHERS, 1, NO))).isEmpty();
        assertThat(rollout.waitsFor()).isEqualTo("the change has not been seen yet");
        assertThat(rollout.failure()).isEmpty();
    }

    @Test
    void itSucceedsWhenItIsComplete() {
        assertThat(look(0, workload(2, OURS, 0, NO))).isEmpty();
        assertThat(rollout.waitsFor()).isEqualTo("0 of 1 pod are of the new template");
        assertThat(look(1, workload(3, OURS, 1, NO))).contains(new RolloutOutcome.Succeeded());
    }

    @Test
    void itIsSupersededWhenTheTemplateChanges() {
        assertThat(look(0, workload(3, OTHERS, 1, NO))).contains(new RolloutOutcome.Superseded());
    }

    @Test
    void itIsGoneWithItsWorkload() {
        assertThat(rollout.look(Optional.empty(), BEGIN)).contains(new RolloutOutcome.Gone());
    }

    @Test
    void aFailureCountsOnceItHasLasted() {
        Workload crashes = workload(2, OURS, 0, Optional.of("CrashLoopBackOff"));
        assertThat(rollout.countsIn(BEGIN)).isEmpty();
        assertThat(look(0, crashes)).isEmpty();
        assertThat(rollout.failure()).contains(failed("CrashLoopBackOff"));
        assertThat(rollout.countsIn(BEGIN + 5 * SECOND)).contains(Duration.ofSeconds(15));
        assertThat(look(19, crashes)).isEmpty();
        assertThat(look(20, workload(2, OURS, 0, Optional.of("Error: exit code 1"))))
                .contains(failed("Error: exit code 1"));
        assertThat(rollout.countsIn(BEGIN + 30 * SECOND)).contains(Duration.ZERO);
    }

    @Test
    void aFailureThatEndsInBetweenStartsOver() {
        Workload crashes = workload(2, OURS, 0, Optional.of("CrashLoopBackOff"));
        assertThat(look(0, crashes)).isEmpty();
        assertThat(look(19, workload(2, OURS, 0, NO))).isEmpty();
        assertThat(rollout.failure()).isEmpty();
        assertThat(rollout.countsIn(BEGIN + 19 * SECOND)).isEmpty();
        assertThat(look(21, crashes)).isEmpty();
        assertThat(look(40, crashes)).isEmpty();
        assertThat(look(41, crashes)).contains(failed("CrashLoopBackOff"));
    }

    private Optional<RolloutOutcome> look(int seconds, Workload workload) {
        return rollout.look(Optional.of(workload), BEGIN + seconds * SECOND);
    }

    private static RolloutOutcome failed(String trouble) {
        return new RolloutOutcome.Failed(RolloutProgress.Cause.CONTAINERS, "pod p, container app: " + trouble);
    }

    private static Workload workload(long generation, DigestsAnnotation digests, int ready, Optional<String> trouble) {
        return TestWorkload.named("shop/Deployment/web")
                .generation(generation)
                .templateAnnotations(Map.of(Workload.DIGESTS, digests.toString()))
                .rollout(wanted(1).updated(ready).ready(ready))
                .currentRevision("h")
                .pods(List.of(TestPod.named("p")
                        .ready(ready > 0)
                        .containers(new Pod.ContainerStatus("app", "", ready > 0, 0, trouble))
                        .build()))
                .build();
    }
}
