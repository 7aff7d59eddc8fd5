package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeConnection.Answer;
import io.urunner.kube.KubeConnection.Call;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Changes workloads, each time with one idempotent patch. Thread-safe; blocks until the API server answers. */
public final class Restarter {
    static final String FIELD_MANAGER = "urunner";

    private final KubeConnection connection;

    /**
     * Creates a restarter.
     *
     * @param connection a connection to the cluster; the caller closes it
     */
    public Restarter(KubeConnection connection) {
        this.connection = connection;
    }

    /**
     * Starts a rollout with one patch by the field manager {@code urunner} that is valid only for the version that was
     * planned on. May be repeated if its response was lost: the second time it changes nothing.
     *
     * @param planned the workload as it was when planned
     * @param restart what to change
     * @return the result; {@code Conflict} also if a response was lost and the patch took effect
     * @throws KubeException if the API server refused or could not be reached
     */
    public PatchResult restart(Workload planned, Restart restart) throws KubeException {
        WorkloadId id = planned.id();
        if (!restart.images().isEmpty() && id.kind().patchType() != WorkloadKind.PatchType.STRATEGIC_MERGE) {
            throw new KubeException(
                    "cannot set the images of " + id + ": a patch of this kind replaces its list of containers",
                    KubeException.UNPROCESSABLE);
        }
        return send(id, patch(planned, restart));
    }

    /**
     * Returns the patch that {@link #restart} sends, for people who want to see it first.
     *
     * @param planned the workload as it was when planned
     * @param restart what to change
     * @return the patch, as indented JSON
     */
    public static String describe(Workload planned, Restart restart) {
        return patch(planned, restart).toPrettyString();
    }

    /**
     * Returns the patch that {@link #remember} sends, for people who want to see it first.
     *
     * @param planned the workload as it was when planned
     * @param state the new annotation
     * @return the patch, as indented JSON
     */
    public static String describe(Workload planned, WorkloadState state) {
        return patch(planned, state).toPrettyString();
    }

    private static ObjectNode patch(Workload planned, Restart restart) {
        ObjectNode patch = patch(planned, restart.state());
        if (planned.annotations()
                .getOrDefault(Workload.CHANGE_CAUSE, Workload.OUR_CAUSE)
                .startsWith(Workload.OUR_CAUSE)) {
            restart.cause()
                    .ifPresent(
                            cause -> patch.withObject("/metadata/annotations").put(Workload.CHANGE_CAUSE, cause));
        }
        ObjectNode template = patch.withObject(planned.id().kind().template());
        template.putObject("metadata")
                .putObject("annotations")
                .put(Workload.DIGESTS, restart.digests().toString())
                .put("kubectl.kubernetes.io/restartedAt", restart.restartedAt().toString());
        if (!restart.images().isEmpty()) {
            ObjectNode podSpec = template.putObject("spec");
            for (Container container : planned.containers()) {
                String image = restart.images().get(container.name());
                if (image != null) {
                    podSpec.withArray(container.init() ? "initContainers" : "containers")
                            .addObject()
                            .put("name", container.name())
                            .put("image", image);
                }
            }
        }
        return patch;
    }

    /**
     * Writes {@code urunner.io/state} without starting a rollout.
     *
     * @param planned the workload as it was when planned
     * @param state the new annotation
     * @return the result
     * @throws KubeException if the API server refused or could not be reached
     */
    public PatchResult remember(Workload planned, WorkloadState state) throws KubeException {
        return send(planned.id(), patch(planned, state));
    }

    private static ObjectNode patch(Workload planned, WorkloadState state) {
        ObjectNode patch = KubeConnection.JSON.createObjectNode();
        // The uid protects a workload that was re-created from the patch; the version protects one that changed.
        patch.putObject("metadata")
                .put("uid", planned.uid())
                .put("resourceVersion", planned.resourceVersion())
                .putObject("annotations")
                .put(Workload.STATE, state.equals(WorkloadState.EMPTY) ? null : state.toString());
        return patch;
    }

    private PatchResult send(WorkloadId id, ObjectNode patch) throws KubeException {
        Action doing = id.kind().api().action("patch", id.namespace(), id.name());
        Call call = new Call(
                "PATCH",
                path(id) + "?fieldManager=" + FIELD_MANAGER,
                id.kind().patchType().mediaType(),
                patch.toString());
        Answer answer;
        try {
            answer = connection.send(call, doing);
        } catch (KubeException lost) {
            if (Thread.currentThread().isInterrupted() || connection.closed()) {
                throw lost;
            }
            // Mostly an idle connection that the server closed. If the patch took effect, its version is outdated: 409.
            answer = connection.send(call, doing);
        }
        return switch (answer.status()) {
            case 200 -> {
                JsonNode metadata = answer.body().path("metadata");
                if (!metadata.path("name").asText().equals(id.name())) {
                    throw connection.refused(doing, answer);
                }
                yield new PatchResult.Patched(
                        metadata.path("resourceVersion").asText(),
                        metadata.path("generation").asLong());
            }
            case 404 -> new PatchResult.Gone();
            case 409 -> new PatchResult.Conflict();
            default -> throw connection.refused(doing, answer);
        };
    }

    /**
     * Reads a workload, its revisions and its pods from the API server: a watch may be a moment behind. Lists the pods and
     * revisions that the workload's selector matches.
     *
     * @param id which one
     * @return the workload, whether it is enabled or not; empty if there is none
     * @throws KubeException if the API server refused or could not be reached
     */
    public Optional<Workload> read(WorkloadId id) throws KubeException {
        Optional<JsonNode> found = get(id);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Observed.WorkloadObject object = ObservedJson.workload(id.kind(), found.get());
        String selector = selectorOf(found.get());
        List<Observed.Revision> revisions = new ArrayList<>();
        WatchedKinds kind = new WatchedKinds(List.of(id.kind()));
        if (id.kind().needsRevisions()) {
            RevisionKind keptAs = id.kind().revisions().orElseThrow();
            list(
                    id,
                    keptAs.api(),
                    selector,
                    kind.revisions(keptAs),
                    json -> ObservedJson.revision(keptAs, kind.kinds(), json),
                    revisions);
        }
        revisions.removeIf(each -> !each.owner().equals(object.uid()));
        List<Observed.PodObject> pods = new ArrayList<>();
        list(id, ApiResource.PODS, selector, kind.pods(), json -> ObservedJson.pod(kind.podOwners(), json), pods);
        Map<String, List<Observed.PodObject>> byOwner = new HashMap<>();
        pods.forEach(pod ->
                byOwner.computeIfAbsent(pod.owner(), owner -> new ArrayList<>()).add(pod));
        return Optional.of(Revisions.assemble(object, revisions, owner -> byOwner.getOrDefault(owner, List.of())));
    }

    /**
     * Reads the templates that a workload has had, as far as the cluster keeps them ({@code revisionHistoryLimit}).
     *
     * @param id which one
     * @return its ReplicaSets or ControllerRevisions, the oldest revision first; empty if there is no such workload, or the
     *     cluster keeps none of its kind
     * @throws KubeException if the API server refused or could not be reached
     */
    public List<PastTemplate> pastTemplates(WorkloadId id) throws KubeException {
        Optional<JsonNode> found = get(id);
        Optional<RevisionKind> keptAs = id.kind().revisions();
        if (found.isEmpty() || keptAs.isEmpty()) {
            return List.of();
        }
        String uid = found.get().path("metadata").path("uid").asText();
        List<PastTemplate> templates = new ArrayList<>();
        list(
                id,
                keptAs.get().api(),
                selectorOf(found.get()),
                Wanted.ofRevisions(keptAs.get(), List.of(id.kind())),
                json -> ObservedJson.pastTemplate(id.kind(), keptAs.get(), uid, json),
                templates);
        templates.sort(Comparator.comparingLong(PastTemplate::revision));
        return templates;
    }

    private Optional<JsonNode> get(WorkloadId id) throws KubeException {
        Action doing = id.kind().api().action("get", id.namespace(), id.name());
        Answer answer =
                connection.send(Call.get(path(id)).wanting(id.kind().wanted().object()), doing);
        if (answer.status() == 404) {
            return Optional.empty();
        }
        if (answer.status() != 200
                || !answer.body().path("metadata").path("name").asText().equals(id.name())) {
            throw connection.refused(doing, answer);
        }
        return Optional.of(answer.body());
    }

    private static String selectorOf(JsonNode workload) {
        return "labelSelector="
                + KubeName.encoded(selector(workload.path("spec").path("selector")));
    }

    private <T> void list(
            WorkloadId id,
            ApiResource resource,
            String selector,
            Wanted wanted,
            Function<JsonNode, @Nullable T> parser,
            List<T> to)
            throws KubeException {
        connection.list(
                resource.path(Optional.of(id.namespace())),
                selector,
                wanted,
                resource.action("list", Optional.of(id.namespace())),
                json -> {
                    T object = parser.apply(json);
                    if (object != null) {
                        to.add(object);
                    }
                });
    }

    /** A label selector as its query parameter. */
    static String selector(JsonNode selector) {
        List<String> terms = new ArrayList<>();
        selector.path("matchLabels")
                .properties()
                .forEach(each -> terms.add(each.getKey() + "=" + each.getValue().asText()));
        for (JsonNode each : selector.path("matchExpressions")) {
            String key = each.path("key").asText();
            List<String> values = new ArrayList<>();
            each.path("values").forEach(value -> values.add(value.asText()));
            String set = "(" + String.join(",", values) + ")";
            terms.add(
                    switch (each.path("operator").asText()) {
                        case "In" -> key + " in " + set;
                        case "NotIn" -> key + " notin " + set;
                        case "DoesNotExist" -> "!" + key;
                        default -> key;
                    });
        }
        return String.join(",", terms);
    }

    /**
     * Deletes a pod, for example one that blocks the rollback of a StatefulSet.
     *
     * @param namespace its namespace
     * @param pod the pod; another one that has taken its name stays
     * @return whether it existed
     * @throws KubeException if the API server refused or could not be reached
     */
    public boolean deletePod(String namespace, Pod pod) throws KubeException {
        Action doing = ApiResource.PODS.action("delete", namespace, pod.name());
        ObjectNode options = KubeConnection.JSON.createObjectNode();
        options.put("apiVersion", "v1").put("kind", "DeleteOptions");
        options.putObject("preconditions").put("uid", pod.uid());
        Answer answer = connection.send(
                new Call(
                        "DELETE",
                        ApiResource.PODS.path(namespace, pod.name()),
                        KubeConnection.JSON_TYPE,
                        options.toString()),
                doing);
        return switch (answer.status()) {
            case 200, 202 -> true;
            case 404, 409 -> false;
            default -> throw connection.refused(doing, answer);
        };
    }

    private static String path(WorkloadId id) throws KubeException {
        return id.kind().api().path(id.namespace(), id.name());
    }
}
