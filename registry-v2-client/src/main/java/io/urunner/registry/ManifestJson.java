package io.urunner.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of manifests and indexes, and of the descriptors and platforms in them. Any input leads to a result or a {@link
 * MalformedManifestException}. What is read is written back as it was.
 */
final class ManifestJson {
    /** The fields of a descriptor that have a parameter of their own, by their names in lower case. */
    static final Map<String, String> DESCRIPTOR_FIELDS =
            names(Set.of("mediaType", "digest", "size", "platform", "artifactType", "annotations", "urls", "data"));

    /** The same of a platform. */
    static final Map<String, String> PLATFORM_FIELDS =
            names(Set.of("os", "architecture", "variant", "os.version", "os.features"));

    private static final Map<String, String> FIELDS = names(Set.of(
            "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"));

    /** Of two fields of the same name one reader takes the first, another the last. */
    private static final ObjectReader READER =
            Bodies.JSON.reader().with(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private ManifestJson() {}

    /** Verifies the digest first. The result takes ownership of the bytes. */
    static ManifestOrIndex verified(byte[] content, String contentType, Digest digest) {
        verify(content, digest);
        return parse(content, contentType, digest);
    }

    static void verify(byte[] content, Digest digest) {
        if (!digest.isVerifiable()) {
            throw new MalformedManifestException(
                    "the content cannot be verified by " + digest + "; only sha256 and sha512 are supported");
        }
        if (!digest.matches(content)) {
            throw new MalformedManifestException(
                    "the content has the digest " + Digest.of(digest.algorithm(), content) + " instead of " + digest);
        }
    }

    /** The result takes ownership of the bytes. */
    static ManifestOrIndex parse(byte[] content, String contentType, Digest digest) {
        JsonNode root = read(content);
        String mediaType = mediaType(root, MediaType.of(contentType));
        var descriptor = new Descriptor(
                mediaType, digest, content.length, Optional.empty(), type(root, "it"), annotations(root, "it"));
        JsonNode subjectNode = child(root, "subject");
        Optional<Descriptor> subject =
                subjectNode == null ? Optional.empty() : Optional.of(read(subjectNode, "its subject"));
        if (MediaType.isIndex(mediaType)) {
            return new Index(content, descriptor, descriptors(root, "manifests"), subject);
        }
        JsonNode config = child(root, "config");
        if (config == null) {
            throw new MalformedManifestException("the manifest has no config");
        }
        return new Manifest(content, descriptor, read(config, "its config"), descriptors(root, "layers"), subject);
    }

    /** What an index lists, of any type. The result takes ownership of the bytes. */
    static ManifestOrIndex entry(byte[] content, String contentType, Descriptor entry) {
        Digest digest = entry.digest();
        verify(content, digest);
        String header = MediaType.of(contentType);
        JsonNode root = read(content);
        String own = text(root, "mediaType", "it");
        String type = own.isEmpty() ? header.isEmpty() ? entry.mediaType() : header : own;
        if (MediaType.MANIFESTS.contains(type) || MediaType.isSchema1(type)) {
            return parse(content, header.isEmpty() ? entry.mediaType() : header, digest);
        }
        if (own.isEmpty() && root.path("schemaVersion").asInt() != 2) {
            throw new MalformedManifestException("the content states neither schemaVersion 2 nor its type");
        }
        List<Descriptor> parts = new ArrayList<>();
        Optional<Descriptor> subject = Optional.empty();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            JsonNode value = field.getValue();
            for (JsonNode node : value.isArray() ? value : List.of(value)) {
                if (node.hasNonNull("digest")) {
                    Descriptor part = read(node, "its " + field.getKey());
                    if (field.getKey().equals("subject")) {
                        subject = Optional.of(part);
                    } else {
                        parts.add(part);
                    }
                }
            }
        }
        var descriptor = new Descriptor(
                type, digest, content.length, Optional.empty(), type(root, "it"), annotations(root, "it"));
        return new OtherManifest(content, descriptor, parts, subject);
    }

    private static JsonNode read(byte[] content) {
        if (content.length > ManifestOrIndex.MAX_SIZE) {
            throw new MalformedManifestException(
                    "the manifest is larger than " + ManifestOrIndex.MAX_SIZE + " bytes: " + content.length);
        }
        JsonNode root;
        try {
            root = READER.readTree(content);
        } catch (JsonProcessingException e) {
            throw new MalformedManifestException(
                    "the manifest is not JSON: " + ReferenceGrammar.quote(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new MalformedManifestException("the manifest is not JSON: it is not text", e);
        }
        if (root == null || !root.isObject()) {
            throw new MalformedManifestException("the manifest is not a JSON object");
        }
        rejectOtherSpellings(root, FIELDS, "the manifest");
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
            list.add(read(node, "an entry of its " + field));
        }
        return list;
    }

    static Manifest compose(
            String mediaType,
            Descriptor config,
            List<Descriptor> layers,
            Optional<String> artifactType,
            Optional<Descriptor> subject,
            Map<String, String> annotations) {
        ObjectNode root = start(mediaType, artifactType);
        root.set("config", write(config));
        write(root.putArray("layers"), layers);
        return (Manifest) finish(root, subject, annotations);
    }

    static Index compose(
            List<Descriptor> manifests,
            Optional<String> artifactType,
            Optional<Descriptor> subject,
            Map<String, String> annotations) {
        ObjectNode root = start(MediaType.OCI_INDEX, artifactType);
        write(root.putArray("manifests"), manifests);
        return (Index) finish(root, subject, annotations);
    }

    /** The same index with other entries. Entries that it had before are written as they were, and so is the rest. */
    static Index with(Index index, List<Descriptor> manifests) {
        ObjectNode root = (ObjectNode) read(index.content());
        Map<Descriptor, Deque<JsonNode>> before = new HashMap<>();
        int i = 0;
        for (JsonNode entry : root.path("manifests")) {
            Descriptor equal = index.manifests().get(i++);
            before.putIfAbsent(equal, new ArrayDeque<>());
            Objects.requireNonNull(before.get(equal)).add(entry);
        }
        ArrayNode array = root.putArray("manifests");
        for (Descriptor entry : manifests) {
            JsonNode known = before.getOrDefault(entry, new ArrayDeque<>()).poll();
            array.add(known != null ? known : write(entry));
        }
        return (Index) finished(root, index.mediaType());
    }

    private static ObjectNode start(String mediaType, Optional<String> artifactType) {
        ObjectNode root = Bodies.JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", mediaType);
        write(root, "artifactType", artifactType.orElse(""));
        return root;
    }

    private static ManifestOrIndex finish(
            ObjectNode root, Optional<Descriptor> subject, Map<String, String> annotations) {
        if (subject.isPresent()) {
            root.set("subject", write(subject.get().withoutDetails()));
        }
        write(root, annotations);
        return finished(root, "");
    }

    private static ManifestOrIndex finished(ObjectNode root, String contentType) {
        try {
            byte[] content = Bodies.JSON.writeValueAsBytes(root);
            return parse(content, contentType, Digest.of(content));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree cannot be written as JSON", e);
        }
    }

    private static void write(ArrayNode array, List<Descriptor> descriptors) {
        for (Descriptor descriptor : descriptors) {
            array.add(write(descriptor));
        }
    }

    static Map<String, String> names(Set<String> names) {
        Map<String, String> byLowerCase = new HashMap<>();
        for (String name : names) {
            byLowerCase.put(folded(name), name);
        }
        return Map.copyOf(byLowerCase);
    }

    /** A name as Go compares it: without case, and with the long s, which has no other lower case, as an s. */
    private static String folded(String name) {
        return name.toLowerCase(Locale.ROOT).replace('\u017f', 's');
    }

    /**
     * Rejects a known field in another spelling. Go, in which most readers are written, ignores the case of names, and
     * others do not: they would take the same content for different images.
     */
    static void rejectOtherSpellings(JsonNode node, Map<String, String> fields, String what) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            String name = entry.getKey();
            String known = fields.get(folded(name));
            if (known != null && !known.equals(name)) {
                throw new MalformedManifestException(what + " is ambiguous: its field " + ReferenceGrammar.quote(name)
                        + " is " + ReferenceGrammar.quote(known) + " for some readers but not for others");
            }
        }
    }

    /** Other fields from outside: their names belong to no parameter, and their values are JSON. */
    static Map<String, String> checkedOthers(Map<String, String> others, Map<String, String> fields) {
        for (Map.Entry<String, String> other : others.entrySet()) {
            if (fields.containsKey(folded(other.getKey()))) {
                throw new IllegalArgumentException(
                        "the field " + ReferenceGrammar.quote(other.getKey()) + " has a parameter of its own");
            }
            tree(other.getValue());
        }
        return Map.copyOf(others);
    }

    static JsonNode tree(String json) {
        try {
            JsonNode tree = Bodies.json(json.getBytes(StandardCharsets.UTF_8));
            if (!tree.isMissingNode()) {
                return tree;
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("not JSON: " + ReferenceGrammar.quote(json), e);
        }
        throw new IllegalArgumentException("not JSON: the text is empty");
    }

    static Descriptor read(JsonNode node, String what) {
        if (!node.isObject()) {
            throw new MalformedManifestException(what + " has no size: it is not an object");
        }
        rejectOtherSpellings(node, DESCRIPTOR_FIELDS, what);
        JsonNode size = node.path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong()) {
            throw new MalformedManifestException(what + " has no size");
        }
        JsonNode platform = child(node, "platform");
        String data = text(node, "data", what);
        try {
            return new Descriptor(
                    text(node, "mediaType", what),
                    Digest.carried(text(node, "digest", what)),
                    size.longValue(),
                    platform == null ? Optional.empty() : Optional.of(platform(platform, what)),
                    type(node, what),
                    annotations(node, what),
                    texts(node, "urls", what),
                    data.isEmpty() ? Optional.empty() : Optional.of(data),
                    others(node, DESCRIPTOR_FIELDS));
        } catch (MalformedManifestException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new MalformedManifestException(what + " is not valid: " + e.getMessage(), e);
        }
    }

    private static Platform platform(JsonNode node, String what) {
        if (!node.isObject()) {
            throw new MalformedManifestException(what + " has a platform that is not an object");
        }
        rejectOtherSpellings(node, PLATFORM_FIELDS, what);
        return new Platform(
                shortText(node, "os", what),
                shortText(node, "architecture", what),
                shortText(node, "variant", what),
                shortText(node, "os.version", what),
                texts(node, "os.features", what),
                others(node, PLATFORM_FIELDS));
    }

    private static Map<String, String> others(JsonNode node, Map<String, String> fields) {
        Map<String, String> others = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!fields.containsKey(folded(entry.getKey()))) {
                others.put(entry.getKey(), entry.getValue().toString());
            }
        }
        return others;
    }

    static String shortText(JsonNode node, String field, String what) {
        String text = text(node, field, what);
        if (text.length() > MediaType.LONGEST) {
            throw new MalformedManifestException(what + " has a " + field + " that is too long");
        }
        return text;
    }

    static @Nullable JsonNode child(JsonNode node, String field) {
        JsonNode child = node.get(field);
        return child == null || child.isNull() ? null : child;
    }

    /** Returns a text, or the empty text if it is missing. */
    static String text(JsonNode node, String field, String what) {
        JsonNode child = child(node, field);
        if (child == null) {
            return "";
        }
        if (!child.isTextual()) {
            throw new MalformedManifestException(what + " has a " + field + " that is not a string");
        }
        return child.textValue();
    }

    private static List<String> texts(JsonNode node, String field, String what) {
        JsonNode array = child(node, field);
        List<String> texts = new ArrayList<>();
        for (JsonNode element : array == null ? List.<JsonNode>of() : array) {
            if (!element.isTextual()) {
                throw new MalformedManifestException(what + " has " + field + " that are not strings");
            }
            texts.add(element.textValue());
        }
        if (array != null && !array.isArray()) {
            throw new MalformedManifestException(what + " has " + field + " that are not a list");
        }
        return texts;
    }

    static Optional<String> type(JsonNode node, String what) {
        String type = shortText(node, "artifactType", what);
        return type.isEmpty() ? Optional.empty() : Optional.of(type);
    }

    static Map<String, String> annotations(JsonNode node, String what) {
        Map<String, String> annotations = new TreeMap<>();
        JsonNode object = child(node, "annotations");
        if (object != null) {
            if (!object.isObject()) {
                throw new MalformedManifestException(what + " has annotations that are not an object");
            }
            for (Map.Entry<String, JsonNode> entry : object.properties()) {
                // Null is the empty text for Go, in which most writers are written.
                if (!entry.getValue().isTextual() && !entry.getValue().isNull()) {
                    throw new MalformedManifestException(what + " has an annotation that is not a string");
                }
                annotations.put(entry.getKey(), entry.getValue().asText(""));
            }
        }
        return annotations;
    }

    static ObjectNode write(Descriptor descriptor) {
        ObjectNode node = Bodies.JSON
                .createObjectNode()
                .put("mediaType", descriptor.mediaType())
                .put("digest", descriptor.digest().toString())
                .put("size", descriptor.size());
        write(node, "urls", descriptor.urls());
        write(node, descriptor.annotations());
        write(node, "data", descriptor.data().orElse(""));
        write(node, "artifactType", descriptor.artifactType().orElse(""));
        if (descriptor.platform().isPresent()) {
            node.set("platform", write(descriptor.platform().get()));
        }
        return withOthers(node, descriptor.otherFields());
    }

    private static ObjectNode write(Platform platform) {
        ObjectNode node = Bodies.JSON
                .createObjectNode()
                .put("architecture", platform.architecture())
                .put("os", platform.os());
        write(node, "os.version", platform.osVersion());
        write(node, "os.features", platform.osFeatures());
        write(node, "variant", platform.variant());
        withOthers(node, platform.otherFields());
        if (node.path("variant").asText().isEmpty()) {
            node.remove("variant"); // an index that states none keeps none, although arm then means v7
        }
        return node;
    }

    private static ObjectNode withOthers(ObjectNode node, Map<String, String> others) {
        for (Map.Entry<String, String> other : new TreeMap<>(others).entrySet()) {
            node.set(other.getKey(), tree(other.getValue()));
        }
        return node;
    }

    static void write(ObjectNode node, String field, String text) {
        if (!text.isEmpty()) {
            node.put(field, text);
        }
    }

    private static void write(ObjectNode node, String field, List<String> texts) {
        if (!texts.isEmpty()) {
            ArrayNode array = node.putArray(field);
            for (String text : texts) {
                array.add(text);
            }
        }
    }

    static void write(ObjectNode node, Map<String, String> annotations) {
        if (!annotations.isEmpty()) {
            ObjectNode object = node.putObject("annotations");
            for (Map.Entry<String, String> annotation : new TreeMap<>(annotations).entrySet()) {
                object.put(annotation.getKey(), annotation.getValue());
            }
        }
    }
}
