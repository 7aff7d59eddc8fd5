package io.urunner.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The JSON of manifests and indexes. Any input leads to a result or a {@link MalformedManifestException}. */
final class ManifestJson {
    private ManifestJson() {}

    /** Verifies the digest first. The result takes ownership of the bytes. */
    static ManifestOrIndex verified(byte[] content, String contentType, Digest digest) {
        if (!digest.matches(content)) {
            throw new MalformedManifestException(
                    "the content has the digest " + Digest.of(digest.algorithm(), content) + " instead of " + digest);
        }
        return parse(content, contentType, digest);
    }

    /** The result takes ownership of the bytes. */
    static ManifestOrIndex parse(byte[] content, String contentType, Digest digest) {
        JsonNode root = read(content);
        String mediaType = mediaType(root, MediaType.of(contentType));
        var descriptor = new Descriptor(
                mediaType, digest, content.length, Optional.empty(), type(root, "it"), annotations(root, "it"));
        JsonNode subjectNode = child(root, "subject");
        Optional<Descriptor> subject =
                subjectNode == null ? Optional.empty() : Optional.of(descriptor(subjectNode, "its subject"));
        if (MediaType.isIndex(mediaType)) {
            return new Index(content, descriptor, descriptors(root, "manifests"), subject);
        }
        JsonNode config = child(root, "config");
        if (config == null) {
            throw new MalformedManifestException("the manifest has no config");
        }
        return new Manifest(
                content, descriptor, descriptor(config, "its config"), descriptors(root, "layers"), subject);
    }

    private static JsonNode read(byte[] content) {
        if (content.length > ManifestOrIndex.MAX_SIZE) {
            throw new MalformedManifestException(
                    "the manifest is larger than " + ManifestOrIndex.MAX_SIZE + " bytes: " + content.length);
        }
        JsonNode root;
        try {
            root = Bodies.JSON.readTree(content);
        } catch (JsonProcessingException e) {
            throw new MalformedManifestException(
                    "the manifest is not JSON: " + ReferenceGrammar.quote(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new MalformedManifestException("the manifest is not JSON: it is not text", e);
        }
        if (root == null || !root.isObject()) {
            throw new MalformedManifestException("the manifest is not a JSON object");
        }
        return root;
    }

    /**
     * The type of the content, as stated by itself, by the header, or by its shape. Content that can be read as two
     * things is rejected, so that no two readers take it for different images.
     */
    private static String mediaType(JsonNode root, String header) {
        String own = text(root, "mediaType", "it");
        JsonNode version = root.path("schemaVersion");
        if (version.asInt() == 1 || MediaType.isSchema1(own.isEmpty() ? header : own)) {
            throw new MalformedManifestException(
                    "this is a manifest of Docker's schema 1, which is obsolete and which container runtimes no longer"
                            + " pull; push the image again with a current tool");
        }
        if (!version.isMissingNode() && version.asInt() != 2) {
            throw new MalformedManifestException("the manifest's schemaVersion is not 2");
        }
        boolean list = root.hasNonNull("manifests");
        boolean image = root.hasNonNull("config") || root.hasNonNull("layers");
        if (list && image) {
            throw new MalformedManifestException(
                    "the manifest is ambiguous: it has the fields of an index and of an image");
        }
        if (!MediaType.MANIFESTS.contains(own)) {
            if (!own.isEmpty()) {
                throw new MalformedManifestException(
                        "the manifest type " + ReferenceGrammar.quote(own) + " is unknown");
            }
            own = MediaType.MANIFESTS.contains(header) ? header : list ? MediaType.OCI_INDEX : MediaType.OCI_MANIFEST;
        } else if (MediaType.MANIFESTS.contains(header) && MediaType.isIndex(own) != MediaType.isIndex(header)) {
            throw new MalformedManifestException(
                    "the manifest is ambiguous: it was sent as " + header + " but calls itself " + own);
        }
        if (MediaType.isIndex(own) ? image : list) {
            throw new MalformedManifestException(
                    "the manifest is ambiguous: its type is " + own + " but it has the fields of the other kind");
        }
        return own;
    }

    private static List<Descriptor> descriptors(JsonNode root, String field) {
        JsonNode array = child(root, field);
        var list = new ArrayList<Descriptor>();
        if (array == null) {
            return list;
        }
        if (!array.isArray()) {
            throw new MalformedManifestException("its " + field + " are not a list");
        }
        for (JsonNode node : array) {
            list.add(descriptor(node, "an entry of its " + field));
        }
        return list;
    }

    private static Descriptor descriptor(JsonNode node, String what) {
        JsonNode size = node.path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong()) {
            throw new MalformedManifestException(what + " has no size");
        }
        JsonNode platform = child(node, "platform");
        try {
            return new Descriptor(
                    text(node, "mediaType", what),
                    Digest.parse(text(node, "digest", what)),
                    size.longValue(),
                    platform == null ? Optional.empty() : Optional.of(platform(platform, what)),
                    type(node, what),
                    annotations(node, what));
        } catch (MalformedManifestException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new MalformedManifestException(what + " is not valid: " + e.getMessage(), e);
        }
    }

    private static Platform platform(JsonNode node, String what) {
        return new Platform(
                shortText(node, "os", what),
                shortText(node, "architecture", what),
                shortText(node, "variant", what),
                shortText(node, "os.version", what));
    }

    private static String shortText(JsonNode node, String field, String what) {
        String text = text(node, field, what);
        if (text.length() > MediaType.LONGEST) {
            throw new MalformedManifestException(what + " has a " + field + " that is too long");
        }
        return text;
    }

    private static @Nullable JsonNode child(JsonNode node, String field) {
        JsonNode child = node.get(field);
        return child == null || child.isNull() ? null : child;
    }

    /** Returns a text, or the empty text if it is missing. */
    private static String text(JsonNode node, String field, String what) {
        JsonNode child = child(node, field);
        if (child == null) {
            return "";
        }
        if (!child.isTextual()) {
            throw new MalformedManifestException(what + " has a " + field + " that is not a string");
        }
        return child.textValue();
    }

    private static Optional<String> type(JsonNode node, String what) {
        String type = shortText(node, "artifactType", what);
        return type.isEmpty() ? Optional.empty() : Optional.of(type);
    }

    private static Map<String, String> annotations(JsonNode node, String what) {
        var annotations = new TreeMap<String, String>();
        JsonNode object = child(node, "annotations");
        if (object != null) {
            for (Map.Entry<String, JsonNode> entry : object.properties()) {
                if (!entry.getValue().isTextual()) {
                    throw new MalformedManifestException(what + " has an annotation that is not a string");
                }
                annotations.put(entry.getKey(), entry.getValue().textValue());
            }
        }
        return annotations;
    }

    static Manifest compose(Descriptor config, List<Descriptor> layers, Map<String, String> annotations) {
        ObjectNode root = start(MediaType.OCI_MANIFEST);
        root.set("config", json(config));
        write(root.putArray("layers"), layers);
        write(root, annotations);
        return (Manifest) finish(root);
    }

    static Index compose(List<Descriptor> manifests, Map<String, String> annotations) {
        ObjectNode root = start(MediaType.OCI_INDEX);
        write(root.putArray("manifests"), manifests);
        write(root, annotations);
        return (Index) finish(root);
    }

    private static ObjectNode start(String mediaType) {
        return Bodies.JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", mediaType);
    }

    private static ManifestOrIndex finish(ObjectNode root) {
        try {
            byte[] content = Bodies.JSON.writeValueAsBytes(root);
            return parse(content, "", Digest.of(content));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree cannot be written as JSON", e);
        }
    }

    private static void write(ArrayNode array, List<Descriptor> descriptors) {
        descriptors.forEach(descriptor -> array.add(json(descriptor)));
    }

    private static void write(ObjectNode node, Map<String, String> annotations) {
        if (!annotations.isEmpty()) {
            ObjectNode object = node.putObject("annotations");
            new TreeMap<>(annotations).forEach(object::put);
        }
    }

    private static ObjectNode json(Descriptor descriptor) {
        ObjectNode node = Bodies.JSON
                .createObjectNode()
                .put("mediaType", descriptor.mediaType())
                .put("digest", descriptor.digest().toString())
                .put("size", descriptor.size());
        descriptor.artifactType().ifPresent(type -> node.put("artifactType", type));
        descriptor.platform().ifPresent(platform -> {
            ObjectNode object = node.putObject("platform")
                    .put("architecture", platform.architecture())
                    .put("os", platform.os());
            if (!platform.variant().isEmpty()) {
                object.put("variant", platform.variant());
            }
            if (!platform.osVersion().isEmpty()) {
                object.put("os.version", platform.osVersion());
            }
        });
        write(node, descriptor.annotations());
        return node;
    }
}
