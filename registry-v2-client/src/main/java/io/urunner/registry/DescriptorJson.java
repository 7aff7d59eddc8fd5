package io.urunner.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The JSON of descriptors and platforms. What is read is written back as it was. */
final class DescriptorJson {
    /** The fields of a descriptor that have a parameter of their own, by their names in lower case. */
    static final Map<String, String> FIELDS =
            names(Set.of("mediaType", "digest", "size", "platform", "artifactType", "annotations", "urls", "data"));

    /** The same of a platform. */
    static final Map<String, String> PLATFORM_FIELDS =
            names(Set.of("os", "architecture", "variant", "os.version", "os.features"));

    private DescriptorJson() {}

    static Map<String, String> names(Set<String> names) {
        Map<String, String> byLowerCase = new HashMap<>();
        for (String name : names) {
            byLowerCase.put(name.toLowerCase(Locale.ROOT), name);
        }
        return Map.copyOf(byLowerCase);
    }

    /**
     * Rejects a known field in another spelling. Go, in which most readers are written, ignores the case of names, and
     * others do not: they would take the same content for different images.
     */
    static void rejectOtherSpellings(JsonNode node, Map<String, String> fields, String what) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            String name = entry.getKey();
            String known = fields.get(name.toLowerCase(Locale.ROOT));
            if (known != null && !known.equals(name)) {
                throw new MalformedManifestException(what + " is ambiguous: its field " + ReferenceGrammar.quote(name)
                        + " is " + ReferenceGrammar.quote(known) + " for some readers but not for others");
            }
        }
    }

    /** Other fields from outside: their names belong to no parameter, and their values are JSON. */
    static Map<String, String> checkedOthers(Map<String, String> others, Map<String, String> fields) {
        for (Map.Entry<String, String> other : others.entrySet()) {
            if (fields.containsKey(other.getKey().toLowerCase(Locale.ROOT))) {
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
        rejectOtherSpellings(node, FIELDS, what);
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
                    others(node, FIELDS));
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
            if (!fields.containsKey(entry.getKey().toLowerCase(Locale.ROOT))) {
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
            for (Map.Entry<String, JsonNode> entry : object.properties()) {
                if (!entry.getValue().isTextual()) {
                    throw new MalformedManifestException(what + " has an annotation that is not a string");
                }
                annotations.put(entry.getKey(), entry.getValue().textValue());
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
