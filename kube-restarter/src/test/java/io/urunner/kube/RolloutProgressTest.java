package io.urunner.kube;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutProgress.Cause;
import io.urunner.kube.RolloutProgress.Complete;
import io.urunner.kube.RolloutProgress.Failed;
import io.urunner.kube.RolloutProgress.Running;
import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestRolloutStatus;
import io.urunner.kube.testing.TestWorkload;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RolloutProgressTest {
    @Test
    void isCompleteOnceEveryWantedPodIsNewAndAvailableAndNoneIsOld() {
        Pod ready = ready();
        assertThat(progress(wanted(3), ready, ready, ready)).isInstanceOf(Complete.class);
        assertThat(progress(wanted(3), ready, ready)).isEqualTo(new Running("the new pods have not been seen yet"));
        assertThat(progress(wanted(3).total(4))).isEqualTo(new Running("1 old pod is terminating"));
        assertThat(progress(wanted(3).updated(2))).isEqualTo(new Running("2 of 3 pods are of the new template"));
        assertThat(progress(wanted(3).ready(2))).isEqualTo(new Running("2 of 3 pods are available"));
        assertThat(progress(wanted(0))).isInstanceOf(Complete.class);
        assertThat(progress(wanted(0).total(1))).isEqualTo(new Running("1 old pod is terminating"));
    }

    @Test
    void nothingIsKnownBeforeTheControllerHasSeenTheChange() {
        TestRolloutStatus unseen = wanted(1).observed(false);
        assertThat(progress(unseen)).isEqualTo(new Running("waiting for the controller to see the change"));
    }

    @Test
    void aPartitionKeepsItsPodsOld() {
        assertThat(progress(wanted(3).partition(2).updated(1), ready())).isInstanceOf(Complete.class);
        assertThat(progress(wanted(3).partition(1).updated(1)))
                .isEqualTo(new Running("1 of 2 pods is of the new template"));
    }

    @Test
    void pausedAndOnDeleteAreNamed() {
        assertThat(progress(wanted(2).paused().updated(0))).isEqualTo(new Running("paused"));
        assertThat(((Running) progress(wanted(2).onDelete().updated(0))).what()).contains("OnDelete");
    }

    @Test
    void aFailureHasThePodsReason() {
        TestRolloutStatus status = wanted(1).total(2);
        assertThat(progress(status, pending("CrashLoopBackOff: back-off 10s").build()))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p, container app: CrashLoopBackOff: back-off 10s"));
        assertThat(progress(status, pending("ImagePullBackOff: i/o timeout").build()))
                .isEqualTo(new Failed(Cause.PULL, "pod p, container app: ImagePullBackOff: i/o timeout"));
        String platform = "ErrImagePull: no match for platform in manifest: not found";
        assertThat(progress(status, pending(platform).build()))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p, container app: " + platform));
        assertThat(progress(status, pending().unschedulable("no node").build()))
                .isEqualTo(new Failed(Cause.SCHEDULING, "pod p: cannot be scheduled: no node"));
    }

    @Test
    void olderAndTerminatingPodsProveNothing() {
        TestRolloutStatus status = wanted(1).total(2).ready(0);
        assertThat(progress(
                        status,
                        pending("CrashLoopBackOff").ofCurrentRevision(false).build()))
                .isInstanceOf(Running.class);
        assertThat(progress(
                        status, pending("CrashLoopBackOff").terminating(true).build()))
                .isInstanceOf(Running.class);
    }

    @Test
    void quotaIsNotAFailureOfTheContainers() {
        TestRolloutStatus status = wanted(1).updated(0).deadlineExceeded("late").creationFailure("quota");
        assertThat(progress(status)).isEqualTo(new Failed(Cause.CREATION, "pods cannot be created: quota"));
    }

    @Test
    void aPassedDeadlineWithUnreadyPodsIsAFailure() {
        TestRolloutStatus status = wanted(1).total(2).deadlineExceeded("late");
        assertThat(progress(status, pending().build()))
                .isEqualTo(new Failed(Cause.CONTAINERS, "pod p does not become ready: late"));
    }

    private static Pod ready() {
        return TestPod.named("p").build();
    }

    private static TestPod pending() {
        return TestPod.named("p").phase("Pending").ready(false);
    }

    private static TestPod pending(String trouble) {
        return pending().containers(new Pod.ContainerStatus("app", "", false, 0, Optional.of(trouble)));
    }

    private static RolloutProgress progress(TestRolloutStatus status, Pod... pods) {
        return RolloutProgress.of(TestWorkload.named("n/Deployment/w")
                .rollout(status)
                .currentRevision("h")
                .pods(List.of(pods))
                .build());
    }
}
