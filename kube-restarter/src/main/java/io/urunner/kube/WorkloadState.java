package io.urunner.kube;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The annotation {@code urunner.io/state} on a workload: what was done with it. It is on the workload, not on its template,
 * so it survives a lost database and the undo of a StatefulSet or DaemonSet. The undo of a Deployment also restores the
 * annotations of the older ReplicaSet; then the copy on the newer one counts. Immutable.
 *
 * @param containers what was done, by container
 * @param hold set while the workload is held, and nothing is rolled out
 */
public record WorkloadState(SortedMap<String, ContainerState> containers, Optional<Hold> hold) {
    /** Nothing has been done yet. */
    public static final WorkloadState EMPTY = new WorkloadState(Collections.emptySortedMap(), Optional.empty());

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    public WorkloadState {
        containers = Collections.unmodifiableSortedMap(new TreeMap<>(containers));
    }

    /**
     * What was done for one container. Counts only for the reference that it names.
     *
     * @param reference the reference, in canonical form
     * @param acted the digest that was last rolled out
     * @param actedAt when
     * @param replaced the digests that {@code acted} replaced, accumulated while {@code acted} stays
     * @param rejected a digest that somebody rolled back
     * @param rejectedBy the field manager that rolled it back
     * @param failed a digest whose rollout failed because of its containers
     * @param failure how it failed
     * @param originalImage the text of the image before it was pinned to a digest; empty while it is not pinned
     */
    public record ContainerState(
            String reference,
            Optional<String> acted,
            Optional<Instant> actedAt,
            List<String> replaced,
            Optional<String> rejected,
            Optional<String> rejectedBy,
            Optional<String> failed,
            Optional<String> failure,
            Optional<String> originalImage) {
        public ContainerState {
            replaced = List.copyOf(replaced);
        }
    }

    /**
     * A hold: somebody wants nothing to be rolled out.
     *
     * @param since since when
     * @param by who requested it
     * @param untilNextPush whether the hold ends by itself when the tag moves past the rejected digest
     * @param reason the reason, if one was given
     */
    public record Hold(Instant since, String by, boolean untilNextPush, Optional<String> reason) {
        /**
         * Creates a hold without a reason.
         *
         * @param since since when
         * @param by who requested it
         * @param untilNextPush whether the hold ends by itself when the tag moves past the rejected digest
         */
        public Hold(Instant since, String by, boolean untilNextPush) {
            this(since, by, untilNextPush, Optional.empty());
        }
    }

    /**
     * Reads the annotation. A malformed text counts as none: somebody edited it.
     *
     * @param text the annotation's value
     * @return the state; empty if the text is malformed
     */
    public static Optional<WorkloadState> parse(String text) {
        try {
            JsonNode json = JSON.readTree(text);
            if (!json.isObject()) {
                return Optional.empty();
            }
            SortedMap<String, ContainerState> containers = new TreeMap<>();
            for (Map.Entry<String, JsonNode> entry : json.path("containers").properties()) {
                JsonNode value = entry.getValue();
                List<String> replaced = new ArrayList<>();
                value.path("replaced").forEach(digest -> replaced.add(digest.asText()));
                containers.put(
                        entry.getKey(),
                        new ContainerState(
                                value.path("reference").asText(),
                                text(value, "acted"),
                                text(value, "actedAt").map(WorkloadState::time),
                                replaced,
                                text(value, "rejected"),
                                text(value, "rejectedBy"),
                                text(value, "failed"),
                                text(value, "failure"),
                                text(value, "originalImage")));
            }
            JsonNode hold = json.path("hold");
            return Optional.of(new WorkloadState(
                    containers,
                    hold.isObject()
                            ? Optional.of(new Hold(
                                    time(hold.path("since").asText()),
                                    hold.path("by").asText(),
                                    hold.path("untilNextPush").asBoolean(),
                                    text(hold, "reason")))
                            : Optional.empty()));
        } catch (JsonProcessingException | DateTimeException e) {
            return Optional.empty();
        }
    }

    /**
     * Returns when we last acted on any of its containers.
     *
     * @return the time; empty if we never did
     */
    public Optional<Instant> lastAct() {
        return containers.values().stream()
                .flatMap(container -> container.actedAt().stream())
                .max(Instant::compareTo);
    }

    /** Refuses times beyond the range that can be calculated with. */
    private static Instant time(String text) {
        Instant time = Instant.parse(text);
        if (time.isBefore(Instant.EPOCH) || time.isAfter(LATEST)) {
            throw new DateTimeException(text + " is not the time of an action or a hold");
        }
        return time;
    }

    private static Optional<String> text(JsonNode json, String field) {
        return Optional.ofNullable(json.path(field).textValue());
    }

    /** The annotation's value, without empty fields. */
    @Override
    public String toString() {
        ObjectNode json = JSON.createObjectNode();
        ObjectNode each = json.putObject("containers");
        containers.forEach((name, state) -> {
            ObjectNode value = each.putObject(name);
            value.put("reference", state.reference());
            put(value, "acted", state.acted());
            put(value, "actedAt", state.actedAt().map(Instant::toString));
            if (!state.replaced().isEmpty()) {
                ArrayNode replaced = value.putArray("replaced");
                state.replaced().forEach(replaced::add);
            }
            put(value, "rejected", state.rejected());
            put(value, "rejectedBy", state.rejectedBy());
            put(value, "failed", state.failed());
            put(value, "failure", state.failure());
            put(value, "originalImage", state.originalImage());
        });
        hold.ifPresent(held -> put(
                json.putObject("hold")
                        .put("since", held.since().toString())
                        .put("by", held.by())
                        .put("untilNextPush", held.untilNextPush()),
                "reason",
                held.reason()));
        return json.toString();
    }

    private static void put(ObjectNode json, String field, Optional<String> value) {
        value.ifPresent(text -> json.put(field, text));
    }
}
