package io.urunner.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** The JSON of manifests and indexes. Any input leads to a result or a {@link MalformedManifestException}. */
final class ManifestJson {
    private static final Map<String, String> FIELDS = DescriptorJson.names(Set.of(
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
                mediaType,
                digest,
                content.length,
                Optional.empty(),
                DescriptorJson.type(root, "it"),
                DescriptorJson.annotations(root, "it"));
        JsonNode subjectNode = DescriptorJson.child(root, "subject");
        Optional<Descriptor> subject =
                subjectNode == null ? Optional.empty() : Optional.of(DescriptorJson.read(subjectNode, "its subject"));
        if (MediaType.isIndex(mediaType)) {
            return new Index(content, descriptor, descriptors(root, "manifests"), subject);
        }
        JsonNode config = DescriptorJson.child(root, "config");
        if (config == null) {
            throw new MalformedManifestException("the manifest has no config");
        }
        return new Manifest(
                content, descriptor, DescriptorJson.read(config, "its config"), descriptors(root, "layers"), subject);
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
        DescriptorJson.rejectOtherSpellings(root, FIELDS, "the manifest");
        return root;
    }

    /**
     * The type of the content, as stated by itself, by the header, or by its shape. Content that can be read as two
     * things is rejected, so that no two readers take it for different images.
     */
    private static String mediaType(JsonNode root, String header) {
        String own = DescriptorJson.text(root, "mediaType", "it");
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
        JsonNode array = DescriptorJson.child(root, field);
        var list = new ArrayList<Descriptor>();
        if (array == null) {
            return list;
        }
        if (!array.isArray()) {
            throw new MalformedManifestException("its " + field + " are not a list");
        }
        for (JsonNode node : array) {
            list.add(DescriptorJson.read(node, "an entry of its " + field));
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
        root.set("config", DescriptorJson.write(config));
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
            array.add(known != null ? known : DescriptorJson.write(entry));
        }
        return (Index) finished(root, index.mediaType());
    }

    private static ObjectNode start(String mediaType, Optional<String> artifactType) {
        ObjectNode root = Bodies.JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", mediaType);
        DescriptorJson.write(root, "artifactType", artifactType.orElse(""));
        return root;
    }

    private static ManifestOrIndex finish(
            ObjectNode root, Optional<Descriptor> subject, Map<String, String> annotations) {
        if (subject.isPresent()) {
            root.set("subject", DescriptorJson.write(subject.get().withoutDetails()));
        }
        DescriptorJson.write(root, annotations);
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
            array.add(DescriptorJson.write(descriptor));
        }
    }
}
