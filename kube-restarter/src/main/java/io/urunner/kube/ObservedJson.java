package io.urunner.kube;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Extracts the few fields that are needed from the API server's JSON. */
final class ObservedJson {
    private static final String OURS = "urunner.io/";
    /** The longest annotation of ours that people write; those that we write may have as much for every two containers. */
    private static final int LONGEST_ANNOTATION = 4_096;

    private static final int LONGEST_IMAGE = 4_096;
    /** The longest annotation of ours on a revision, where the number of containers is not known. */
    private static final int LONGEST_STATE = 65_536;

    private static final int MOST_ANNOTATIONS = 32;
    private static final int MOST_PULL_SECRETS = 100;
    private static final int LONGEST_MESSAGE = 1_024;
    private static final Set<String> WRITTEN_BY_US = Set.of(Workload.STATE, Workload.DIGESTS);

    /** The annotations of a workload, a revision or a template. */
    static final JsonNode ANNOTATIONS = JsonSieve.wanted("""
            {'urunner.io/state': 262144, 'urunner.io/digests': 262144, 'urunner.io/*': 4097,
             'kubernetes.io/change-cause': 64}""");

    private static final String CONTAINERS = "{'name': 254, 'image': 4097, 'imagePullPolicy': 32}";

    /** A pod template. */
    static final JsonNode TEMPLATE = JsonSieve.wanted(String.format(Locale.ROOT, """
            {'metadata': {'annotations': %1$s}, 'spec': {
              'serviceAccountName': 254, 'imagePullSecrets': {'name': 254},
              'initContainers': %2$s, 'containers': %2$s}}""", ANNOTATIONS, CONTAINERS));

    /** A label selector. */
    static final JsonNode SELECTOR = JsonSieve.wanted(
            "{'matchLabels': {'*': 64}, 'matchExpressions': {'key': 320, 'operator': 32, 'values': 64}}");

    private static final String STATUSES = """
            {'name': 254, 'imageID': 1024, 'ready': 8, 'restartCount': 16,
             'state': {'waiting': {'reason': 128, 'message': 1024}, 'terminated': {'reason': 128, 'exitCode': 16}}}""";
    private static final String STATUS_OF_A_REFUSAL =
            "'message': 1024, 'reason': 128, 'code': 16, 'details': {'causes': {'reason': 128}}";

    /** What is needed of any object, of a refusal, and of a list apart from its items. */
    static final JsonNode ANSWER =
            JsonSieve.wanted(String.format(Locale.ROOT, """
            {%1$s, 'gitVersion': 64, 'type': 256, 'imagePullSecrets': {'name': 254},
             'metadata': {'namespace': 254, 'name': 254, 'uid': 64, 'resourceVersion': 64, 'generation': 32,
               'deletionTimestamp': 64, 'creationTimestamp': 64, 'continue': 65536, 'annotations': %2$s,
               'labels': {'urunner': 64, 'kubernetes.io/os': 64, 'kubernetes.io/arch': 64},
               'ownerReferences': {'controller': 8, 'kind': 64, 'uid': 64}},
             'status': {'allowed': 8, 'phase': 32,
               'conditions': {'type': 64, 'status': 16, 'reason': 128, 'message': 1024},
               'initContainerStatuses': %3$s, 'containerStatuses': %3$s}}""", STATUS_OF_A_REFUSAL, ANNOTATIONS, STATUSES));

    /** What is needed of an object without a description of its own. */
    static final Wanted ANY = Wanted.of(ANSWER);

    /** A Secret. */
    static final JsonNode SECRET = JsonSieve.wanted(
            String.format(Locale.ROOT, "{%s, 'type': 256, 'data': {'*': 1048576}}", STATUS_OF_A_REFUSAL));

    private static final String REFERENCE = "{'name': 254, 'key': 254, 'optional': 8}";

    /** A Deployment, and where its container gets its settings. */
    static final Wanted PROGRAM = Wanted.of(JsonSieve.wanted(String.format(Locale.ROOT, """
            {'metadata': {'namespace': 254, 'name': 254},
             'spec': {'selector': {'matchLabels': {'*': 64}}, 'template': {'spec': {'serviceAccountName': 254,
               'containers': {'name': 254, 'ports': {'name': 64, 'containerPort': 8},
                 'env': {'name': 254, 'value': 65536, 'valueFrom': {'secretKeyRef': %1$s, 'configMapKeyRef': %1$s}},
                 'envFrom': {'prefix': 254, 'secretRef': %1$s, 'configMapRef': %1$s},
                 'volumeMounts': {'name': 254, 'mountPath': 1024, 'subPath': 1024}},
               'volumes': {'name': 254, 'secret': {'secretName': 254, 'optional': 8},
                 'configMap': {'name': 254, 'optional': 8}}}}}}""", REFERENCE)));

    /** A Lease, with everything that is written back. */
    static final JsonNode LEASE = JsonSieve.wanted(String.format(Locale.ROOT, """
            {%s, 'apiVersion': 64, 'kind': 64,
             'metadata': {'name': 254, 'namespace': 254, 'uid': 64, 'resourceVersion': 64, 'creationTimestamp': 64,
               'labels': {'*': 64}, 'annotations': {'*': 1048576}, 'ownerReferences': {'*': 1024}, 'finalizers': 512},
             'spec': {'*': 1024}}""", STATUS_OF_A_REFUSAL));

    private ObservedJson() {}

    /** Reads a Deployment of a program; only its first container counts. */
    static DeployedProgram program(JsonNode json) {
        JsonNode podSpec = json.path("spec").path("template").path("spec");
        JsonNode container = podSpec.path("containers").path(0);
        Map<String, String> labels = new HashMap<>();
        json.path("spec")
                .path("selector")
                .path("matchLabels")
                .properties()
                .forEach(each -> labels.put(each.getKey(), each.getValue().asText()));
        List<DeployedProgram.Variables> variables = new ArrayList<>();
        for (JsonNode each : container.path("envFrom")) {
            source(each.path("secretRef"), each.path("configMapRef"))
                    .ifPresent(from -> variables.add(new DeployedProgram.FromAll(from, text(each, "prefix"))));
        }
        for (JsonNode each : container.path("env")) {
            JsonNode from = each.path("valueFrom");
            Optional<DeployedProgram.Source> source = source(from.path("secretKeyRef"), from.path("configMapKeyRef"));
            if (source.isPresent()) {
                String key = text(from.path("secretKeyRef"), "key") + text(from.path("configMapKeyRef"), "key");
                variables.add(new DeployedProgram.FromKey(text(each, "name"), source.get(), key));
            } else if (from.isMissingNode()) {
                variables.add(new DeployedProgram.Written(text(each, "name"), text(each, "value")));
            }
        }
        Map<String, DeployedProgram.Source> volumes = new HashMap<>();
        for (JsonNode each : podSpec.path("volumes")) {
            JsonNode secret = each.path("secret");
            if (secret.isObject()) {
                volumes.put(text(each, "name"), source(secret, "secretName", DeployedProgram.Kind.SECRET));
            } else if (each.path("configMap").isObject()) {
                volumes.put(
                        text(each, "name"), source(each.path("configMap"), "name", DeployedProgram.Kind.CONFIG_MAP));
            }
        }
        List<DeployedProgram.Mount> mounts = new ArrayList<>();
        for (JsonNode each : container.path("volumeMounts")) {
            DeployedProgram.Source source = volumes.get(text(each, "name"));
            if (source != null && !each.has("subPath")) {
                mounts.add(new DeployedProgram.Mount(text(each, "mountPath"), source));
            }
        }
        Optional<Integer> port = Optional.empty();
        for (JsonNode each : container.path("ports")) {
            if (text(each, "name").equals("http")) {
                port = Optional.of(each.path("containerPort").asInt());
            }
        }
        JsonNode metadata = json.path("metadata");
        String account = podSpec.path("serviceAccountName").asText("default");
        return new DeployedProgram(
                text(metadata, "namespace"),
                text(metadata, "name"),
                labels,
                variables,
                mounts,
                port,
                new KubeAccess.Account(text(metadata, "namespace"), account));
    }

    private static Optional<DeployedProgram.Source> source(JsonNode secret, JsonNode configMap) {
        if (secret.isObject()) {
            return Optional.of(source(secret, "name", DeployedProgram.Kind.SECRET));
        }
        return configMap.isObject()
                ? Optional.of(source(configMap, "name", DeployedProgram.Kind.CONFIG_MAP))
                : Optional.empty();
    }

    private static DeployedProgram.Source source(JsonNode json, String name, DeployedProgram.Kind kind) {
        return new DeployedProgram.Source(
                kind, text(json, name), json.path("optional").asBoolean());
    }

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
        JsonNode template = json.at(kind.template());
        JsonNode podSpec = template.path("spec");
        List<String> problems = new ArrayList<>();
        if (json.has(JsonSieve.CUT)) {
            problems.add("it is too large to be watched: " + text(json, JsonSieve.CUT));
        }
        List<Container> containers = new ArrayList<>();
        containers(podSpec.path("initContainers"), true, containers, problems);
        containers(podSpec.path("containers"), false, containers, problems);
        List<String> pullSecrets = new ArrayList<>();
        for (JsonNode each : podSpec.path("imagePullSecrets")) {
            pullSecrets.add(text(each, "name"));
        }
        if (pullSecrets.size() > MOST_PULL_SECRETS) {
            problems.add("it has more than " + MOST_PULL_SECRETS + " pull secrets");
        }
        if (json.has(JsonSieve.CUT) || pullSecrets.size() > MOST_PULL_SECRETS) {
            // It is not acted on, so nothing needs to be resolved for it.
            containers.clear();
            pullSecrets.clear();
        }
        int most = longestOfOurs(containers.size());
        Map<String, String> annotations = ours(metadata.path("annotations"), most, problems);
        filled(metadata.path("annotations"), Workload.CHANGE_CAUSE)
                .ifPresent(cause -> annotations.put(Workload.CHANGE_CAUSE, cause));
        String serviceAccount = text(podSpec, "serviceAccountName");
        Workload workload = new Workload(
                new WorkloadId(shared(metadata, "namespace"), kind, text(metadata, "name")),
                text(metadata, "uid"),
                text(metadata, "resourceVersion"),
                metadata.path("generation").asLong(),
                annotations,
                ours(template.path("metadata").path("annotations"), most, problems),
                containers,
                pullSecrets,
                serviceAccount.isEmpty() ? "default" : serviceAccount.intern(),
                rollout(kind, json),
                Optional.empty(),
                List.of(),
                List.of(),
                problems);
        return new Observed.WorkloadObject(
                workload,
                kind.currentRevision(json),
                templateManagers(metadata.path("managedFields"), Wanted.managedFields(kind.template())));
    }

    private static void containers(JsonNode json, boolean init, List<Container> containers, List<String> problems) {
        for (JsonNode each : json) {
            if (text(each, "image").length() > LONGEST_IMAGE) {
                problems.add("container " + text(each, "name") + ": its image has more than " + LONGEST_IMAGE
                        + " characters");
                continue;
            }
            containers.add(
                    new Container(shared(each, "name"), shared(each, "image"), shared(each, "imagePullPolicy"), init));
        }
    }

    /** The longest annotation that we write on a workload with this many containers. */
    static int longestOfOurs(int containers) {
        return Math.max(LONGEST_ANNOTATION, LONGEST_ANNOTATION / 2 * containers);
    }

    /**
     * Our annotations.
     *
     * @param most the longest one that we write ourselves
     * @param problems receives the names of those that are too long, which are not kept
     */
    private static Map<String, String> ours(JsonNode annotations, int most, List<String> problems) {
        Map<String, String> found = new HashMap<>();
        for (Map.Entry<String, JsonNode> each : annotations.properties()) {
            String name = each.getKey();
            if (!name.startsWith(OURS)) {
                continue;
            }
            String value = each.getValue().asText();
            int longest = WRITTEN_BY_US.contains(name) ? most : LONGEST_ANNOTATION;
            if (found.size() == MOST_ANNOTATIONS) {
                problems.add("it has more than " + MOST_ANNOTATIONS + " annotations " + OURS + "…: remove some");
                break;
            } else if (value.length() > longest) {
                problems.add(
                        "annotation " + name + ": it has more than " + longest + " characters: shorten or remove it");
            } else {
                found.put(name.intern(), value);
            }
        }
        return found;
    }

    private static RolloutStatus rollout(WorkloadKind kind, JsonNode json) {
        JsonNode conditions = json.path("status").path("conditions");
        return new RolloutStatus(
                kind.read(StatusField.DESIRED, json).asInt(kind.hasReplicas() ? 1 : 0),
                kind.read(StatusField.OBSERVED_GENERATION, json).asLong()
                        >= json.path("metadata").path("generation").asLong(),
                kind.read(StatusField.PAUSED, json).asBoolean(),
                kind.read(StatusField.STRATEGY, json).asText().equals("OnDelete"),
                kind.read(StatusField.PARTITION, json).asInt(),
                kind.read(StatusField.TOTAL, json).asInt(),
                kind.read(StatusField.UPDATED, json).asInt(),
                kind.read(StatusField.READY, json).asInt(),
                kind.read(StatusField.AVAILABLE, json).asInt(),
                condition(conditions, "Progressing", "False", "ProgressDeadlineExceeded"),
                condition(conditions, "ReplicaFailure", "True", null));
    }

    private static Optional<String> condition(JsonNode conditions, String type, String value, @Nullable String reason) {
        JsonNode condition = find(conditions, "type", type);
        return condition.path("status").asText().equals(value)
                        && (reason == null || condition.path("reason").asText().equals(reason))
                ? Optional.of(text(condition, "message"))
                : Optional.empty();
    }

    /** The field managers of the pod template, newest first; see "server-side apply: field management". */
    private static List<Observed.Manager> templateManagers(JsonNode managedFields, JsonPointer template) {
        List<Observed.Manager> managers = new ArrayList<>();
        for (JsonNode each : managedFields) {
            if (!each.at(template).isMissingNode()) {
                managers.add(new Observed.Manager(shared(each, "manager"), time(text(each, "time"))));
            }
        }
        managers.sort(Comparator.comparing(Observed.Manager::at).reversed());
        return managers;
    }

    /** Entries without a valid time count as the oldest. */
    private static Instant time(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return Instant.MIN;
        }
    }

    /** A ReplicaSet or ControllerRevision; null if it belongs to no workload of these kinds. */
    static Observed.@Nullable Revision revision(RevisionKind keptAs, Collection<WorkloadKind> kinds, JsonNode json) {
        JsonNode metadata = json.path("metadata");
        for (WorkloadKind kind : kinds) {
            String owner = controller(metadata, kind.kind());
            if (!owner.isEmpty()) {
                return new Observed.Revision(
                        text(metadata, "uid"),
                        owner,
                        json.at(kind.revisionNumber()).asText("").intern(),
                        text(metadata.path("labels"), kind.revisionLabel()),
                        keptAs.restoresAnnotations()
                                ? Observed.State.of(ours(metadata.path("annotations"), LONGEST_STATE, new ArrayList<>())
                                        .get(Workload.STATE))
                                : Optional.empty());
            }
        }
        return null;
    }

    /** A ReplicaSet or ControllerRevision with its template; null if another workload controls it. */
    static @Nullable PastTemplate pastTemplate(WorkloadKind kind, RevisionKind keptAs, String owner, JsonNode json) {
        JsonNode metadata = json.path("metadata");
        boolean owned = false;
        for (JsonNode each : metadata.path("ownerReferences")) {
            owned = owned
                    || (each.path("controller").asBoolean() && text(each, "uid").equals(owner));
        }
        if (!owned) {
            return null;
        }
        JsonNode template = json.at(keptAs.template(kind)).path("metadata");
        return new PastTemplate(
                text(metadata, "name"),
                number(json.at(kind.revisionNumber()).asText("")),
                time(text(metadata, "creationTimestamp")),
                ours(metadata.path("annotations"), LONGEST_STATE, new ArrayList<>()),
                ours(template.path("annotations"), LONGEST_STATE, new ArrayList<>()));
    }

    /** A pod; null if it has no controller among {@code owners}, see {@link WatchedKinds#podOwners}. */
    static Observed.@Nullable PodObject pod(Map<String, List<String>> owners, JsonNode json) {
        JsonNode metadata = json.path("metadata");
        JsonNode controller = find(metadata.path("ownerReferences"), "controller", "true");
        List<String> labels = owners.get(text(controller, "kind"));
        String owner = shared(controller, "uid");
        if (labels == null || owner.isEmpty()) {
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
        String hash = labels.stream()
                .map(label -> shared(metadata.path("labels"), label))
                .filter(value -> !value.isEmpty())
                .findFirst()
                .orElse("");
        return new Observed.PodObject(pod.uid(), owner, hash, pod);
    }

    private static Optional<String> trouble(JsonNode state) {
        JsonNode waiting = state.path("waiting");
        String reason = text(waiting, "reason");
        if (!reason.isEmpty() && !reason.equals("ContainerCreating") && !reason.equals("PodInitializing")) {
            String message = text(waiting, "message");
            String words = message.isEmpty() ? reason : reason + ": " + message;
            return Optional.of(words.substring(0, Math.min(words.length(), LONGEST_MESSAGE)));
        }
        JsonNode terminated = state.path("terminated");
        if (terminated.path("exitCode").asInt() != 0) {
            return Optional.of(text(terminated, "reason") + ": exit code "
                    + terminated.path("exitCode").asInt());
        }
        return Optional.empty();
    }

    /** The number of a revision; it stands in an annotation that anybody may write. */
    static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** The uid of the controller if it is of this kind. */
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

    /** A text that many objects share, kept once. */
    private static String shared(JsonNode json, String field) {
        return text(json, field).intern();
    }

    private static Optional<String> filled(JsonNode json, String field) {
        return Optional.of(text(json, field)).filter(text -> !text.isEmpty());
    }
}
