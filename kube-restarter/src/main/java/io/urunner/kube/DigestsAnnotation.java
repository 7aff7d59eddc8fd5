package io.urunner.kube;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The annotation {@code urunner.io/digests} on a pod template: for each container the reference and the digest that were
 * last acted on, as {@code {"app":"docker.io/library/nginx:latest@sha256:…"}}. The same facts always give the same text,
 * which makes the patch that writes it idempotent.
 *
 * @param digests per container {@code reference@digest}
 */
public record DigestsAnnotation(SortedMap<String, String> digests) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public DigestsAnnotation {
        digests = Collections.unmodifiableSortedMap(new TreeMap<>(digests));
    }

    /**
     * Reads the annotation. A malformed text counts as none: somebody edited it, and the next rollout fixes it.
     *
     * @param text the annotation's value
     * @return its contents; empty if it is malformed
     */
    public static Optional<DigestsAnnotation> parse(String text) {
        JsonNode json;
        try {
            json = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
        if (!json.isObject()) {
            return Optional.empty();
        }
        SortedMap<String, String> digests = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            if (!entry.getValue().isTextual()) {
                return Optional.empty();
            }
            digests.put(entry.getKey(), entry.getValue().textValue());
        }
        return Optional.of(new DigestsAnnotation(digests));
    }

    /**
     * Returns the digest that was acted on for a container, if it was for this reference: what was written for another
     * reference does not count.
     *
     * @param container the container's name
     * @param reference the reference that the container has now, in canonical form
     * @return the digest
     */
    public Optional<String> digest(String container, String reference) {
        String entry = digests.get(container);
        return entry != null && entry.startsWith(reference + "@")
                ? Optional.of(entry.substring(reference.length() + 1))
                : Optional.empty();
    }

    /** The annotation's value. */
    @Override
    public String toString() {
        try {
            return JSON.writeValueAsString(digests);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts is always JSON", e);
        }
    }
}
