package io.urunner.registry;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The configuration of an image ("Image Configuration", OCI image specification): what it runs on, and how a container
 * of it is started. Immutable.
 *
 * @param platform what the image runs on
 * @param created when it was built, if stated as a time of RFC 3339
 * @param author who built it, or the empty text
 * @param user the user, or the empty text
 * @param env the environment, {@code NAME=value} each
 * @param entrypoint the command, which arguments do not replace
 * @param cmd the default arguments
 * @param workingDir the working directory, or the empty text
 * @param labels the labels
 * @param exposedPorts the ports, for example {@code 80/tcp}, in their order
 * @param volumes the paths that are meant to be volumes, in their order
 * @param stopSignal the signal that stops a container, or the empty text
 * @param diffIds the digests of the uncompressed layers, the lowest first
 * @param history how the layers were made, the lowest first
 */
public record ImageConfig(
        Platform platform,
        Optional<Instant> created,
        String author,
        String user,
        List<String> env,
        List<String> entrypoint,
        List<String> cmd,
        String workingDir,
        Map<String, String> labels,
        List<String> exposedPorts,
        List<String> volumes,
        String stopSignal,
        List<Digest> diffIds,
        List<Step> history) {
    /** The largest configuration that is read, in bytes. */
    public static final int MAX_SIZE = 4 * 1024 * 1024;

    /** Creates a configuration from its parts. */
    public ImageConfig {
        env = List.copyOf(env);
        entrypoint = List.copyOf(entrypoint);
        cmd = List.copyOf(cmd);
        labels = Map.copyOf(labels);
        exposedPorts = List.copyOf(exposedPorts);
        volumes = List.copyOf(volumes);
        diffIds = List.copyOf(diffIds);
        history = List.copyOf(history);
    }

    /**
     * One step of the build.
     *
     * @param created when it was made, if stated as a time of RFC 3339
     * @param createdBy the command, or the empty text
     * @param comment a comment, or the empty text
     * @param emptyLayer whether it made no layer
     */
    public record Step(Optional<Instant> created, String createdBy, String comment, boolean emptyLayer) {}

    /**
     * Reads a configuration. What is null or missing is empty, as in Go, in which most are written.
     *
     * @param content the bytes, at most {@link #MAX_SIZE}
     * @return the configuration
     * @throws MalformedManifestException if the content is not the configuration of an image
     */
    public static ImageConfig parse(byte[] content) {
        if (content.length > MAX_SIZE) {
            throw new MalformedManifestException("the configuration is larger than " + MAX_SIZE + " bytes");
        }
        JsonNode root;
        try {
            root = Bodies.json(content);
        } catch (IOException e) {
            throw new MalformedManifestException("the configuration is not JSON", e);
        }
        String os = text(root, "os");
        String architecture = text(root, "architecture");
        if (os.isEmpty() || architecture.isEmpty()) {
            throw new MalformedManifestException("it is not the configuration of an image: it names no platform");
        }
        Platform platform = new Platform(os, architecture, text(root, "variant"), text(root, "os.version"));
        JsonNode config = root.path("config");
        return new ImageConfig(
                platform.withOsFeatures(texts(root.path("os.features"), "its os.features")),
                time(root),
                text(root, "author"),
                text(config, "User"),
                texts(config.path("Env"), "its Env"),
                texts(config.path("Entrypoint"), "its Entrypoint"),
                texts(config.path("Cmd"), "its Cmd"),
                text(config, "WorkingDir"),
                labels(config),
                names(config.path("ExposedPorts")),
                names(config.path("Volumes")),
                text(config, "StopSignal"),
                diffIds(root.path("rootfs").path("diff_ids")),
                history(root.path("history")));
    }

    private static String text(JsonNode node, String field) {
        return ManifestJson.text(node, field, "the configuration");
    }

    private static Optional<Instant> time(JsonNode node) {
        try {
            return Optional.of(OffsetDateTime.parse(text(node, "created")).toInstant());
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    private static List<String> texts(JsonNode list, String what) {
        List<String> texts = new ArrayList<>();
        for (JsonNode element : list) {
            if (!element.isTextual()) {
                throw new MalformedManifestException(what + " has an element that is not a string");
            }
            texts.add(element.textValue());
        }
        return texts;
    }

    private static Map<String, String> labels(JsonNode config) {
        Map<String, String> labels = new TreeMap<>();
        for (Map.Entry<String, JsonNode> label : config.path("Labels").properties()) {
            labels.put(label.getKey(), label.getValue().asText());
        }
        return labels;
    }

    private static List<String> names(JsonNode set) {
        List<String> names = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : set.properties()) {
            names.add(entry.getKey());
        }
        return names;
    }

    private static List<Digest> diffIds(JsonNode list) {
        List<Digest> digests = new ArrayList<>();
        for (String text : texts(list, "its rootfs")) {
            try {
                digests.add(Digest.carried(text));
            } catch (IllegalArgumentException e) {
                throw new MalformedManifestException("its rootfs is not valid: " + e.getMessage(), e);
            }
        }
        return digests;
    }

    private static List<Step> history(JsonNode list) {
        List<Step> steps = new ArrayList<>();
        for (JsonNode step : list) {
            steps.add(new Step(
                    time(step),
                    text(step, "created_by"),
                    text(step, "comment"),
                    step.path("empty_layer").asBoolean()));
        }
        return steps;
    }
}
