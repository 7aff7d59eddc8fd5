package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutProgress.Cause;
import io.urunner.kube.RolloutProgress.Complete;
import io.urunner.kube.RolloutProgress.Failed;
import io.urunner.kube.RolloutProgress.Running;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RolloutProgressTest {
    private static final Optional<String> NO = Optional.empty();

    @Test
    void isCompleteOnceEveryWantedPodIsNewAndAvailableAndNoneIsOld() {
        Pod ready = ready();
        assertThat(progress(status(3, 3, 3, 3), ready, ready, ready)).isInstanceOf(Complete.class);
        assertThat(progress(status(3, 3, 3, 3), ready, ready))
                .isEqualTo(new Running("the new pods have not been seen yet"));
        assertThat(progress(status(3, 4, 3, 3))).isEqualTo(new Running("1 old pod is terminating"));
        assertThat(progress(status(3, 3, 2, 3))).isEqualTo(new Running("2 of 3 pods are of the new template"));
        assertThat(progress(status(3, 3, 3, 2))).isEqualTo(new Running("2 of 3 pods are available"));
        assertThat(progress(status(0, 0, 0, 0))).isInstanceOf(Complete.class);
        assertThat(progress(status(0, 1, 0, 0))).isEqualTo(new Running("1 old pod is terminating"));
    }

    @Test
    void nothingIsKnownBeforeTheControllerHasSeenTheChange() {
        RolloutStatus unseen = new RolloutStatus(1, false, false, false, 0, 1, 1, 1, 1, NO, NO);
        assertThat(progress(unseen)).isEqualTo(new Running("waiting for the controller to see the change"));
    }

    @Test
    void aPartitionKeepsItsPodsOld() {
        assertThat(progress(new RolloutStatus(3, true, false, false, 2, 3, 1, 3, 3, NO, NO), ready()))
                .isInstanceOf(Complete.class);
        assertThat(progress(new RolloutStatus(3, true, false, false, 1, 3, 1, 3, 3, NO, NO)))
                .isEqualTo(new Running("1 of 2 pods is of the new template"));
    }

    @Test
    void pausedAndOnDeleteAreNamed() {
        assertThat(progress(new RolloutStatus(2, true, true, false, 0, 2, 0, 2, 2, NO, NO)))
                .isEqualTo(new Running("paused"));
        assertThat(((Running) progress(new RolloutStatus(2, true, false, true, 0, 2, 0, 2, 2, NO, NO))).what())
                .contains("OnDelete");
    }

    @Test
    void aFailureHasThePodsReason() {
        RolloutStatus status = status(1, 2, 1, 1);
        assertThat(progress(status, pod(true, false, NO, Optional.of("CrashLoopBackOff: back-off 10s"))))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p, container app: CrashLoopBackOff: back-off 10s"));
        assertThat(progress(status, pod(true, false, NO, Optional.of("ImagePullBackOff: i/o timeout"))))
                .isEqualTo(new Failed(Cause.PULL, "pod p, container app: ImagePullBackOff: i/o timeout"));
        String platform = "ErrImagePull: no match for platform in manifest: not found";
        assertThat(progress(status, pod(true, false, NO, Optional.of(platform))))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p, container app: " + platform));
        assertThat(progress(status, pod(true, false, Optional.of("no node"), NO)))
                .isEqualTo(new Failed(Cause.SCHEDULING, "pod p: cannot be scheduled: no node"));
    }

    @Test
    void olderAndTerminatingPodsProveNothing() {
        RolloutStatus status = status(1, 2, 1, 0);
        assertThat(progress(status, pod(false, false, NO, Optional.of("CrashLoopBackOff"))))
                .isInstanceOf(Running.class);
        assertThat(progress(status, pod(true, true, NO, Optional.of("CrashLoopBackOff"))))
                .isInstanceOf(Running.class);
    }

    @Test
    void quotaIsNotAFailureOfTheContainers() {
        RolloutStatus status =
                new RolloutStatus(1, true, false, false, 0, 1, 0, 1, 1, Optional.of("late"), Optional.of("quota"));
        assertThat(progress(status)).isEqualTo(new Failed(Cause.CREATION, "pods cannot be created: quota"));
    }

    @Test
    void aPassedDeadlineWithUnreadyPodsIsAFailure() {
        RolloutStatus status = new RolloutStatus(1, true, false, false, 0, 2, 1, 1, 1, Optional.of("late"), NO);
        assertThat(progress(status, pod(true, false, NO, NO)))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p does not become ready: late"));
    }

    private static RolloutStatus status(int desired, int total, int updated, int available) {
        return new RolloutStatus(desired, true, false, false, 0, total, updated, available, available, NO, NO);
    }

    private static Pod ready() {
        return new Pod("p", "p", true, false, "Running", true, NO, List.of());
    }

    private static Pod pod(
            boolean current, boolean terminating, Optional<String> unschedulable, Optional<String> trouble) {
        return new Pod(
                "p",
                "p",
                current,
                terminating,
                "Pending",
                false,
                unschedulable,
                List.of(new Pod.ContainerStatus("app", "", false, 0, trouble)));
    }

    private static RolloutProgress progress(RolloutStatus status, Pod... pods) {
        return RolloutProgress.of(new Workload(
                new WorkloadId("n", WorkloadKind.DEPLOYMENT, "w"),
                "u",
                "1",
                1,
                Map.of(),
                Map.of(),
                List.of(),
                List.of(),
                "default",
                status,
                Optional.of("h"),
                List.of(pods),
                List.of()));
    }
}
