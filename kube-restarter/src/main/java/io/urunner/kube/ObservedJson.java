package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Takes the few fields that are needed out of the API server's JSON. */
final class ObservedJson {
    private static final String OURS = "urunner.io/";
    private static final String REVISION = "deployment.kubernetes.io/revision";
    private static final String TEMPLATE_HASH = "pod-template-hash";
    private static final String REVISION_HASH = "controller-revision-hash";

    private ObservedJson() {}

    static Observed.Namespace namespace(JsonNode json) {
        JsonNode metadata = json.path("metadata");
        return new Observed.Namespace(
                text(metadata, "uid"),
                text(metadata, "name"),
                metadata.path("labels").path("urunner").asText().equals("enable"),
                metadata.has("deletionTimestamp"));
    }

    static boolean disabled(JsonNode json) {
        return json.path("metadata").path("labels").path("urunner").asText().equals("disable");
    }

    static Observed.WorkloadObject workload(WorkloadKind kind, JsonNode json) {
        JsonNode metadata = json.path("metadata");
        JsonNode template = json.path("spec").path("template");
        JsonNode podSpec = template.path("spec");
        List<Container> containers = new ArrayList<>();
        containers(podSpec.path("initContainers"), true, containers);
        containers(podSpec.path("containers"), false, containers);
        List<String> pullSecrets = new ArrayList<>();
        podSpec.path("imagePullSecrets").forEach(each -> pullSecrets.add(text(each, "name")));
        String serviceAccount = text(podSpec, "serviceAccountName");
        Workload workload = new Workload(
                new WorkloadId(shared(metadata, "namespace"), kind, text(metadata, "name")),
                text(metadata, "uid"),
                text(metadata, "resourceVersion"),
                metadata.path("generation").asLong(),
                ours(metadata.path("annotations")),
                ours(template.path("metadata").path("annotations")),
                containers,
                pullSecrets,
                serviceAccount.isEmpty() ? "default" : serviceAccount.intern(),
                rollout(kind, json),
                Optional.empty(),
                List.of(),
                List.of());
        Optional<String> revision = switch (kind) {
            case DEPLOYMENT -> filled(metadata.path("annotations"), REVISION);
            case STATEFUL_SET -> filled(json.path("status"), "updateRevision");
            case DAEMON_SET -> Optional.empty();
        };
        return new Observed.WorkloadObject(workload, revision, templateManagers(metadata.path("managedFields")));
    }

    private static void containers(JsonNode json, boolean init, List<Container> containers) {
        for (JsonNode each : json) {
            containers.add(
                    new Container(shared(each, "name"), shared(each, "image"), shared(each, "imagePullPolicy"), init));
        }
    }

    private static Map<String, String> ours(JsonNode annotations) {
        Map<String, String> found = new HashMap<>();
        for (Map.Entry<String, JsonNode> each : annotations.properties()) {
            if (each.getKey().startsWith(OURS)) {
                found.put(each.getKey().intern(), each.getValue().asText());
            }
        }
        return found;
    }

    private static RolloutStatus rollout(WorkloadKind kind, JsonNode json) {
        JsonNode spec = json.path("spec");
        JsonNode status = json.path("status");
        boolean observed = status.path("observedGeneration").asLong()
                >= json.path("metadata").path("generation").asLong();
        boolean onDelete =
                spec.path("updateStrategy").path("type").asText().equals("OnDelete") && kind != WorkloadKind.DEPLOYMENT;
        int ready = status.path(kind == WorkloadKind.DAEMON_SET ? "numberReady" : "readyReplicas")
                .asInt();
        return switch (kind) {
            case DEPLOYMENT ->
                new RolloutStatus(
                        spec.path("replicas").asInt(1),
                        observed,
                        spec.path("paused").asBoolean(),
                        false,
                        0,
                        status.path("replicas").asInt(),
                        status.path("updatedReplicas").asInt(),
                        ready,
                        status.path("availableReplicas").asInt(),
                        condition(status, "Progressing", "False", "ProgressDeadlineExceeded"),
                        condition(status, "ReplicaFailure", "True", null));
            case STATEFUL_SET ->
                new RolloutStatus(
                        spec.path("replicas").asInt(1),
                        observed,
                        false,
                        onDelete,
                        spec.path("updateStrategy")
                                .path("rollingUpdate")
                                .path("partition")
                                .asInt(),
                        status.path("replicas").asInt(),
                        status.path("updatedReplicas").asInt(),
                        ready,
                        // Kubernetes before 1.22 does not count the available pods of a StatefulSet.
                        status.path("availableReplicas").asInt(ready),
                        Optional.empty(),
                        Optional.empty());
            case DAEMON_SET ->
                new RolloutStatus(
                        status.path("desiredNumberScheduled").asInt(),
                        observed,
                        false,
                        onDelete,
                        0,
                        status.path("currentNumberScheduled").asInt(),
                        status.path("updatedNumberScheduled").asInt(),
                        ready,
                        status.path("numberAvailable").asInt(),
                        Optional.empty(),
                        Optional.empty());
        };
    }

    private static Optional<String> condition(JsonNode status, String type, String value, @Nullable String reason) {
        JsonNode condition = find(status.path("conditions"), "type", type);
        return condition.path("status").asText().equals(value)
                        && (reason == null || condition.path("reason").asText().equals(reason))
                ? Optional.of(text(condition, "message"))
                : Optional.empty();
    }

    /** Who owns fields of the pod template, newest first; see "server-side apply: field management". */
    private static List<Observed.Manager> templateManagers(JsonNode managedFields) {
        List<Observed.Manager> managers = new ArrayList<>();
        for (JsonNode each : managedFields) {
            if (each.path("fieldsV1").path("f:spec").has("f:template")) {
                managers.add(new Observed.Manager(shared(each, "manager"), time(text(each, "time"))));
            }
        }
        managers.sort(Comparator.comparing(Observed.Manager::at).reversed());
        return managers;
    }

    /** Entries without a time that can be read are the oldest. */
    private static Instant time(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return Instant.MIN;
        }
    }

    /** A ReplicaSet, of which the metadata is enough; null if it belongs to no Deployment. */
    static Observed.@Nullable Revision replicaSet(JsonNode json) {
        JsonNode metadata = json.path("metadata");
        String owner = controller(metadata, "Deployment");
        return owner.isEmpty()
                ? null
                : new Observed.Revision(
                        text(metadata, "uid"),
                        owner,
                        shared(metadata.path("annotations"), REVISION),
                        text(metadata.path("labels"), TEMPLATE_HASH),
                        Observed.State.of(metadata.path("annotations")
                                .path(Workload.STATE)
                                .textValue()));
    }

    /** A ControllerRevision; null if it belongs to no DaemonSet: a StatefulSet's status says which one is current. */
    static Observed.@Nullable Revision controllerRevision(JsonNode json) {
        JsonNode metadata = json.path("metadata");
        String owner = controller(metadata, "DaemonSet");
        return owner.isEmpty()
                ? null
                : new Observed.Revision(
                        text(metadata, "uid"),
                        owner,
                        shared(json, "revision"),
                        text(metadata.path("labels"), REVISION_HASH),
                        Optional.empty());
    }

    /** A ReplicaSet or ControllerRevision with the template that it keeps; null if another workload controls it. */
    static @Nullable PastTemplate pastTemplate(JsonNode json, String owner) {
        JsonNode metadata = json.path("metadata");
        boolean owned = false;
        for (JsonNode each : metadata.path("ownerReferences")) {
            owned = owned
                    || (each.path("controller").asBoolean() && text(each, "uid").equals(owner));
        }
        if (!owned) {
            return null;
        }
        JsonNode spec = json.has("data") ? json.path("data").path("spec") : json.path("spec");
        String revision = json.has("revision") ? text(json, "revision") : text(metadata.path("annotations"), REVISION);
        return new PastTemplate(
                text(metadata, "name"),
                revision.isEmpty() ? 0 : Long.parseLong(revision),
                Instant.parse(text(metadata, "creationTimestamp")),
                ours(metadata.path("annotations")),
                ours(spec.path("template").path("metadata").path("annotations")));
    }

    /** A pod; null if no workload controls it. */
    static Observed.@Nullable PodObject pod(JsonNode json) {
        JsonNode metadata = json.path("metadata");
        String owner = "";
        for (String kind : new String[] {"ReplicaSet", "StatefulSet", "DaemonSet"}) {
            owner = owner.isEmpty() ? controller(metadata, kind) : owner;
        }
        if (owner.isEmpty()) {
            return null;
        }
        JsonNode status = json.path("status");
        JsonNode scheduled = find(status.path("conditions"), "type", "PodScheduled");
        List<Pod.ContainerStatus> containers = new ArrayList<>();
        for (String field : new String[] {"initContainerStatuses", "containerStatuses"}) {
            for (JsonNode each : status.path(field)) {
                containers.add(new Pod.ContainerStatus(
                        shared(each, "name"),
                        shared(each, "imageID"),
                        each.path("ready").asBoolean(),
                        each.path("restartCount").asInt(),
                        trouble(each.path("state"))));
            }
        }
        Pod pod = new Pod(
                text(metadata, "name"),
                text(metadata, "uid"),
                false,
                metadata.has("deletionTimestamp"),
                shared(status, "phase"),
                find(status.path("conditions"), "type", "Ready")
                        .path("status")
                        .asText()
                        .equals("True"),
                scheduled.path("status").asText().equals("False")
                                && scheduled.path("reason").asText().equals("Unschedulable")
                        ? Optional.of(text(scheduled, "message"))
                        : Optional.empty(),
                containers);
        JsonNode labels = metadata.path("labels");
        String hash = shared(labels, REVISION_HASH);
        return new Observed.PodObject(pod.uid(), owner, hash.isEmpty() ? shared(labels, TEMPLATE_HASH) : hash, pod);
    }

    private static Optional<String> trouble(JsonNode state) {
        JsonNode waiting = state.path("waiting");
        String reason = text(waiting, "reason");
        if (!reason.isEmpty() && !reason.equals("ContainerCreating") && !reason.equals("PodInitializing")) {
            String message = text(waiting, "message");
            return Optional.of(message.isEmpty() ? reason : reason + ": " + message);
        }
        JsonNode terminated = state.path("terminated");
        if (terminated.path("exitCode").asInt() != 0) {
            return Optional.of(text(terminated, "reason") + ": exit code "
                    + terminated.path("exitCode").asInt());
        }
        return Optional.empty();
    }

    /** The uid of the controller, if it is of this kind. */
    private static String controller(JsonNode metadata, String kind) {
        for (JsonNode owner : metadata.path("ownerReferences")) {
            if (owner.path("controller").asBoolean()
                    && owner.path("kind").asText().equals(kind)) {
                return shared(owner, "uid");
            }
        }
        return "";
    }

    private static JsonNode find(JsonNode array, String field, String value) {
        for (JsonNode each : array) {
            if (each.path(field).asText().equals(value)) {
                return each;
            }
        }
        return MissingNode.getInstance();
    }

    private static String text(JsonNode json, String field) {
        return json.path(field).asText("");
    }

    /** A text that many objects have in common: kept once. */
    private static String shared(JsonNode json, String field) {
        return text(json, field).intern();
    }

    private static Optional<String> filled(JsonNode json, String field) {
        return Optional.of(text(json, field)).filter(text -> !text.isEmpty());
    }
}
