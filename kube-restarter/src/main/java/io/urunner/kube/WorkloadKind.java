package io.urunner.kube;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A kind of workload, with everything that is particular to it. A new kind is one entry here. Two kinds are equal if their
 * API groups and names are. Immutable.
 */
public final class WorkloadKind {
    /** Where most kinds have their pod template. */
    static final JsonPointer TEMPLATE = JsonPointer.compile("/spec/template");

    private static final String DEPLOYMENT_REVISION = "/metadata/annotations/deployment.kubernetes.io~1revision";
    private static final String CONTROLLER_REVISION_HASH = "controller-revision-hash";

    /** {@code apps/v1} Deployment. */
    public static final WorkloadKind DEPLOYMENT = entry("apps/v1", "Deployment", "deployments", "deploy")
            // The controller numbers the ReplicaSet that matches the template highest, and copies the number to the
            // Deployment before it writes the observed generation.
            .revisions(RevisionKind.REPLICA_SET, "pod-template-hash", DEPLOYMENT_REVISION)
            .current(Current.NUMBER, DEPLOYMENT_REVISION)
            .build();

    /** {@code apps/v1} StatefulSet. */
    public static final WorkloadKind STATEFUL_SET = entry("apps/v1", "StatefulSet", "statefulsets", "sts")
            // Kubernetes before 1.22 does not count the available pods of a StatefulSet.
            .status(StatusField.AVAILABLE, "/status/availableReplicas", "/status/readyReplicas")
            .revisions(RevisionKind.CONTROLLER_REVISION, CONTROLLER_REVISION_HASH, "/revision")
            .current(Current.LABEL, "/status/updateRevision")
            .waitsForEachPod()
            .build();

    /** {@code apps/v1} DaemonSet. */
    public static final WorkloadKind DAEMON_SET = entry("apps/v1", "DaemonSet", "daemonsets", "ds")
            .status(StatusField.DESIRED, "/status/desiredNumberScheduled")
            .status(StatusField.TOTAL, "/status/currentNumberScheduled")
            .status(StatusField.UPDATED, "/status/updatedNumberScheduled")
            .status(StatusField.READY, "/status/numberReady")
            .status(StatusField.AVAILABLE, "/status/numberAvailable")
            .revisions(RevisionKind.CONTROLLER_REVISION, CONTROLLER_REVISION_HASH, "/revision")
            .build();

    /** The kinds of Kubernetes itself. */
    public static final List<WorkloadKind> BUILT_IN = List.of(DEPLOYMENT, STATEFUL_SET, DAEMON_SET);

    private final ApiResource api;
    private final String kind;
    private final List<String> shortNames;
    private final PatchType patchType;
    private final JsonPointer template;
    private final Map<StatusField, List<JsonPointer>> status;
    private final @Nullable RevisionKind revisions;
    private final String revisionLabel;
    private final JsonPointer revisionNumber;
    private final Current current;
    private final JsonPointer currentRevision;
    private final boolean waitsForEachPod;
    private final Wanted wanted;

    private WorkloadKind(Entry entry) {
        api = entry.api;
        kind = entry.kind;
        shortNames = entry.shortNames;
        patchType = entry.patchType;
        template = entry.template;
        status = new EnumMap<>(entry.status);
        revisions = entry.revisions;
        revisionLabel = entry.revisionLabel;
        revisionNumber = entry.revisionNumber;
        current = entry.current;
        currentRevision = entry.currentRevision;
        waitsForEachPod = entry.waitsForEachPod;
        wanted = Wanted.ofWorkload(
                template,
                Stream.concat(
                        status.values().stream().flatMap(List::stream),
                        Stream.of(currentRevision).filter(pointer -> !pointer.matches())));
    }

    /** The type of patch that the API accepts for a kind. */
    enum PatchType {
        /** Lists are merged by the names of their entries. For built-in kinds only. */
        STRATEGIC_MERGE("application/strategic-merge-patch+json"),
        /** JSON Merge Patch, RFC 7396: lists are replaced. */
        MERGE("application/merge-patch+json");

        private final String mediaType;

        PatchType(String mediaType) {
            this.mediaType = mediaType;
        }

        String mediaType() {
            return mediaType;
        }
    }

    /** How the current revision is found. */
    enum Current {
        /** The workload has the number of its current revision. */
        NUMBER,
        /** The workload has the value of the label of the pods of its current revision. */
        LABEL,
        /** The revision with the highest number is current. */
        NEWEST
    }

    /** Starts an entry, with what most kinds have in common as the default. */
    static Entry entry(String apiVersion, String kind, String resource, String... shortNames) {
        return new Entry(ApiResource.of(apiVersion, resource), kind, List.of(shortNames));
    }

    /** What is particular to a kind. */
    static final class Entry {
        private final ApiResource api;
        private final String kind;
        private final List<String> shortNames;
        private final Map<StatusField, List<JsonPointer>> status = new EnumMap<>(StatusField.class);
        private PatchType patchType = PatchType.STRATEGIC_MERGE;
        private JsonPointer template = TEMPLATE;
        private @Nullable RevisionKind revisions;
        private String revisionLabel = "";
        private JsonPointer revisionNumber = JsonPointer.empty();
        private Current current = Current.NEWEST;
        private JsonPointer currentRevision = JsonPointer.empty();
        private boolean waitsForEachPod;

        private Entry(ApiResource api, String kind, List<String> shortNames) {
            this.api = api;
            this.kind = kind;
            this.shortNames = shortNames;
            for (StatusField field : StatusField.values()) {
                status.put(field, List.of(field.usual()));
            }
        }

        /** The type of patch that its API accepts. */
        Entry patchedBy(PatchType type) {
            patchType = type;
            return this;
        }

        /** Where its pod template is, as a JSON pointer. */
        Entry template(String pointer) {
            template = JsonPointer.compile(pointer);
            return this;
        }

        /** Where a field is, as JSON pointers: the first one that exists counts. */
        Entry status(StatusField field, String... pointers) {
            status.put(field, Stream.of(pointers).map(JsonPointer::compile).toList());
            return this;
        }

        /** What keeps its templates, the label that tells pods of revisions apart, and where a revision has its number. */
        Entry revisions(RevisionKind keptAs, String label, String number) {
            revisions = keptAs;
            revisionLabel = label;
            revisionNumber = JsonPointer.compile(number);
            return this;
        }

        /** How the current revision is found, and where the workload names it. */
        Entry current(Current by, String pointer) {
            current = by;
            currentRevision = JsonPointer.compile(pointer);
            return this;
        }

        /** A rollout waits for each pod to become ready before it continues, even for one of an older template. */
        Entry waitsForEachPod() {
            waitsForEachPod = true;
            return this;
        }

        WorkloadKind build() {
            return new WorkloadKind(this);
        }
    }

    /**
     * Returns the API group, for example {@code apps}.
     *
     * @return the group; empty for the core group
     */
    public String group() {
        return api.group();
    }

    /**
     * Returns the API group and version as objects name them, for example {@code apps/v1}.
     *
     * @return the group and version
     */
    public String apiVersion() {
        return api.apiVersion();
    }

    /**
     * Returns the kind as objects name it, for example {@code Deployment}.
     *
     * @return the kind
     */
    public String kind() {
        return kind;
    }

    /**
     * Returns the resource as URLs name it, for example {@code deployments}.
     *
     * @return the resource
     */
    public String resource() {
        return api.plural();
    }

    /**
     * Returns the kind of object in which the cluster keeps the templates of its workloads.
     *
     * @return the kind of revision; empty if nothing does
     */
    public Optional<RevisionKind> revisions() {
        return Optional.ofNullable(revisions);
    }

    /**
     * Returns the label of pods that names their revision, for example {@code pod-template-hash}.
     *
     * @return the label; empty if there is none
     */
    public String revisionLabel() {
        return revisionLabel;
    }

    /**
     * Whether pods of the old template keep running until new ones are available. Otherwise a rollout replaces them one by
     * one, and a new pod that fails leaves the workload partly old.
     *
     * @return true if each template has pods of its own
     */
    public boolean keepsOldPods() {
        return revisions != null && revisions.ownsPods();
    }

    /**
     * Whether a rollout waits for each pod to become ready before it continues, even for one of an older template that
     * never will: see "Forced rollback" in the documentation of StatefulSets.
     *
     * @return true if a pod that never becomes ready blocks it
     */
    public boolean waitsForEachPod() {
        return waitsForEachPod;
    }

    /**
     * Whether its specification says how many pods are wanted. Otherwise its status does, once the controller has seen it.
     *
     * @return true if it has replicas
     */
    public boolean hasReplicas() {
        return pointers(StatusField.DESIRED).get(0).matchesProperty("spec");
    }

    ApiResource api() {
        return api;
    }

    PatchType patchType() {
        return patchType;
    }

    JsonPointer template() {
        return template;
    }

    Wanted wanted() {
        return wanted;
    }

    JsonPointer revisionNumber() {
        return revisionNumber;
    }

    Current current() {
        return current;
    }

    /** Whether the revisions must be known to tell whose the pods are, and which of them are current. */
    boolean needsRevisions() {
        return revisions != null && (revisions.ownsPods() || current != Current.LABEL);
    }

    /** The kind of object that controls its pods. */
    String podOwner() {
        return revisions != null && revisions.ownsPods() ? revisions.kind() : kind;
    }

    /** What a workload says about its current revision. */
    Optional<String> currentRevision(JsonNode workload) {
        return currentRevision.matches()
                ? Optional.empty()
                : Optional.of(workload.at(currentRevision).asText("")).filter(text -> !text.isEmpty());
    }

    /** A field of a workload; missing if it has none. */
    JsonNode read(StatusField field, JsonNode workload) {
        return pointers(field).stream()
                .map(workload::at)
                .filter(value -> !value.isMissingNode())
                .findFirst()
                .orElse(MissingNode.getInstance());
    }

    private List<JsonPointer> pointers(StatusField field) {
        return status.getOrDefault(field, List.of());
    }

    /**
     * Reads a kind of Kubernetes itself as people write it: {@code Deployment}, {@code deployment}, {@code deployments},
     * {@code deploy}, {@code sts}, {@code ds}, {@code deployments.apps}.
     *
     * @param text the text
     * @return the kind
     * @throws IllegalArgumentException if it names none
     */
    public static WorkloadKind parse(String text) {
        return parse(text, BUILT_IN);
    }

    /**
     * Reads a kind as people write it.
     *
     * @param text the text
     * @param kinds the kinds that it may name
     * @return the kind
     * @throws IllegalArgumentException if it names none of them
     */
    public static WorkloadKind parse(String text, Collection<WorkloadKind> kinds) {
        return kinds.stream()
                .filter(kind -> kind.isCalled(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("'" + text + "' is not a kind of workload: use " + names(kinds)));
    }

    private boolean isCalled(String text) {
        String suffix = "(\\." + Pattern.quote(api.version()) + ")?\\." + Pattern.quote(api.group()) + "$";
        String name = text.replaceFirst(suffix, "");
        return name.equals(kind.toLowerCase(Locale.ROOT)) || name.equals(api.plural()) || shortNames.contains(name);
    }

    private static String names(Collection<WorkloadKind> kinds) {
        List<String> names = kinds.stream().map(WorkloadKind::kind).toList();
        int last = names.size() - 1;
        return last < 1
                ? String.join("", names)
                : names.stream().limit(last).collect(Collectors.joining(", ")) + " or " + names.get(last);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof WorkloadKind that && api.group().equals(that.api.group()) && kind.equals(that.kind);
    }

    @Override
    public int hashCode() {
        return 31 * api.group().hashCode() + kind.hashCode();
    }

    /** The kind as objects name it. */
    @Override
    public String toString() {
        return kind;
    }
}
