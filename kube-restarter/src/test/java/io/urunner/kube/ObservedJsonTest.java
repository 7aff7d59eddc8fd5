package io.urunner.kube;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ObservedJsonTest {
    private static final WatchedKinds BUILT_IN = new WatchedKinds(WorkloadKind.BUILT_IN);

    private static Observed.@Nullable Revision revision(RevisionKind keptAs, JsonNode json) {
        return ObservedJson.revision(keptAs, BUILT_IN.keptAs(keptAs), json);
    }

    private static JsonNode json(String text) throws Exception {
        return KubeConnection.JSON.readTree(text.replace('\'', '"'));
    }

    @Test
    void aDeploymentIsReducedToWhatIsNeeded() throws Exception {
        Observed.WorkloadObject object = ObservedJson.workload(WorkloadKind.DEPLOYMENT, json("""
                {'metadata': {'namespace': 'shop', 'name': 'web', 'uid': 'u', 'resourceVersion': '7', 'generation': 3,
                  'annotations': {'deployment.kubernetes.io/revision': '2', 'urunner.io/state': '{}', 'other': 'x'},
                  'managedFields': [
                    {'manager': 'old', 'time': '2026-01-01T00:00:00Z', 'fieldsV1': {'f:spec': {'f:template': {}}}},
                    {'manager': 'controllers', 'time': '2026-01-03T00:00:00Z', 'fieldsV1': {'f:status': {}}},
                    {'manager': 'helm', 'time': '2026-01-02T00:00:00Z', 'fieldsV1': {'f:spec': {'f:template': {}}}}]},
                 'spec': {'replicas': 2, 'paused': true, 'template': {
                   'metadata': {'annotations': {'urunner.io/digests': '{}', 'kubectl.kubernetes.io/restartedAt': 'now'}},
                   'spec': {'serviceAccountName': 'robot', 'imagePullSecrets': [{'name': 'a'}, {'name': 'b'}],
                     'initContainers': [{'name': 'init', 'image': 'i:1', 'imagePullPolicy': 'IfNotPresent'}],
                     'containers': [{'name': 'app', 'image': 'a:1', 'imagePullPolicy': 'Always'}]}}},
                 'status': {'observedGeneration': 3, 'replicas': 3, 'updatedReplicas': 1, 'readyReplicas': 2,
                   'availableReplicas': 2, 'conditions': [
                     {'type': 'Progressing', 'status': 'False', 'reason': 'ProgressDeadlineExceeded', 'message': 'late'},
                     {'type': 'ReplicaFailure', 'status': 'True', 'reason': 'FailedCreate', 'message': 'quota'}]}}"""));
        assertThat(object.revision()).contains("2");
        Workload workload = object.workload();
        assertThat(workload.id()).hasToString("shop/Deployment/web");
        assertThat(workload.annotations()).containsOnlyKeys("urunner.io/state");
        assertThat(workload.templateAnnotations()).containsOnlyKeys("urunner.io/digests");
        assertThat(workload.containers())
                .containsExactly(
                        new Container("init", "i:1", "IfNotPresent", true),
                        new Container("app", "a:1", "Always", false));
        assertThat(workload.imagePullSecrets()).containsExactly("a", "b");
        assertThat(workload.serviceAccount()).isEqualTo("robot");
        assertThat(object.managers()).extracting(Observed.Manager::name).containsExactly("helm", "old");
        assertThat(workload.rollout())
                .isEqualTo(wanted(2)
                        .paused()
                        .total(3)
                        .updated(1)
                        .deadlineExceeded("late")
                        .creationFailure("quota")
                        .build());
    }

    @Test
    void aStatefulSetOfAnOldApiServerCountsReadyPodsAsAvailable() throws Exception {
        Observed.WorkloadObject object = ObservedJson.workload(WorkloadKind.STATEFUL_SET, json("""
                {'metadata': {'namespace': 'n', 'name': 's', 'generation': 2},
                 'spec': {'replicas': 4, 'updateStrategy': {'type': 'RollingUpdate', 'rollingUpdate': {'partition': 3}}},
                 'status': {'observedGeneration': 1, 'replicas': 4, 'readyReplicas': 3, 'updateRevision': 's-2'}}"""));
        assertThat(object.revision()).contains("s-2");
        assertThat(object.workload().serviceAccount()).isEqualTo("default");
        assertThat(object.workload().rollout())
                .isEqualTo(wanted(4)
                        .observed(false)
                        .partition(3)
                        .updated(0)
                        .ready(3)
                        .build());
    }

    @Test
    void theWantedPodsOfADaemonSetAreThoseOfItsController() throws Exception {
        RolloutStatus rollout = ObservedJson.workload(WorkloadKind.DAEMON_SET, json("""
                {'metadata': {'namespace': 'n', 'name': 'd', 'generation': 1},
                 'spec': {'updateStrategy': {'type': 'OnDelete'}},
                 'status': {'observedGeneration': 1, 'desiredNumberScheduled': 3, 'currentNumberScheduled': 3,
                   'updatedNumberScheduled': 2, 'numberReady': 1, 'numberAvailable': 1}}"""))
                .workload()
                .rollout();
        assertThat(rollout).isEqualTo(wanted(3).onDelete().updated(2).ready(1).build());
    }

    @Test
    void aPodShowsWhatItsContainersRunAndWhyTheyDoNotRun() throws Exception {
        Observed.PodObject object = ObservedJson.pod(BUILT_IN.podOwners(), json("""
                {'metadata': {'name': 'web-1', 'uid': 'p', 'deletionTimestamp': '2026-01-01T00:00:00Z',
                   'labels': {'pod-template-hash': 'h'},
                   'ownerReferences': [{'kind': 'Other', 'uid': 'o'}, {'kind': 'ReplicaSet', 'uid': 'rs', 'controller': true}]},
                 'status': {'phase': 'Pending', 'conditions': [
                     {'type': 'PodScheduled', 'status': 'False', 'reason': 'Unschedulable', 'message': 'no node'}],
                   'initContainerStatuses': [{'name': 'init', 'imageID': 'i@sha256:1', 'ready': true, 'restartCount': 0,
                     'state': {'terminated': {'exitCode': 0, 'reason': 'Completed'}}}],
                   'containerStatuses': [
                     {'name': 'a', 'imageID': '', 'ready': false, 'restartCount': 0,
                       'state': {'waiting': {'reason': 'ImagePullBackOff', 'message': 'not found'}}},
                     {'name': 'b', 'imageID': 'b', 'ready': false, 'restartCount': 4,
                       'state': {'terminated': {'exitCode': 2, 'reason': 'Error'}}},
                     {'name': 'c', 'imageID': 'c', 'ready': false, 'restartCount': 0,
                       'state': {'waiting': {'reason': 'ContainerCreating'}}}]}}"""));
        assertThat(object.owner()).isEqualTo("rs");
        assertThat(object.hash()).isEqualTo("h");
        Pod pod = object.pod();
        assertThat(pod.terminating()).isTrue();
        assertThat(pod.ready()).isFalse();
        assertThat(pod.unschedulable()).contains("no node");
        assertThat(pod.containers())
                .containsExactly(
                        new Pod.ContainerStatus("init", "i@sha256:1", true, 0, Optional.empty()),
                        new Pod.ContainerStatus("a", "", false, 0, Optional.of("ImagePullBackOff: not found")),
                        new Pod.ContainerStatus("b", "b", false, 4, Optional.of("Error: exit code 2")),
                        new Pod.ContainerStatus("c", "c", false, 0, Optional.empty()));
    }

    @Test
    void podsAndRevisionsOfOthersAreOmitted() throws Exception {
        for (String owners : List.of(
                "[]", "[{'kind': 'Job', 'uid': 'j', 'controller': true}]", "[{'kind': 'ReplicaSet', 'uid': 'r'}]")) {
            assertThat(ObservedJson.pod(
                            BUILT_IN.podOwners(),
                            json("{'metadata': {'uid': 'p', 'ownerReferences': " + owners + "}}")))
                    .isNull();
        }
        JsonNode ofStatefulSet = json(
                "{'revision': 1, 'metadata': {'ownerReferences': [{'kind': 'StatefulSet', 'uid': 's', 'controller': true}]}}");
        assertThat(revision(RevisionKind.CONTROLLER_REVISION, ofStatefulSet)).isNull();
        assertThat(revision(RevisionKind.REPLICA_SET, json("{'metadata': {'uid': 'r'}}")))
                .isNull();
    }

    @Test
    void aSelectorBecomesAQuery() throws Exception {
        assertThat(Restarter.selector(json("""
                {'matchLabels': {'app': 'web'}, 'matchExpressions': [
                  {'key': 'tier', 'operator': 'In', 'values': ['a', 'b']}, {'key': 'x', 'operator': 'NotIn', 'values': ['c']},
                  {'key': 'y', 'operator': 'Exists'}, {'key': 'z', 'operator': 'DoesNotExist'}]}"""))).isEqualTo("app=web,tier in (a,b),x notin (c),y,!z");
    }
}
