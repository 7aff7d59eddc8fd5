package io.urunner.registry.testing;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A tiny but complete OCI image or index, generated from a seed: the same seed gives the same bytes. It is written
 * without the client that it tests.
 *
 * @param mediaType the media type of the manifest
 * @param manifest the manifest's bytes
 * @param blobs the blobs that the manifest names, by digest
 * @param children the manifests that an index names, by digest
 */
public record TestImage(String mediaType, byte[] manifest, Map<String, byte[]> blobs, Map<String, TestImage> children) {
    /** The media type of an OCI image manifest. */
    public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

    /** The media type of an OCI index. */
    public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

    /**
     * Creates an image for linux/amd64.
     *
     * @param seed what distinguishes it from others
     * @return the image
     */
    public static TestImage image(String seed) {
        return image(seed, "amd64");
    }

    /**
     * Creates an image for Linux.
     *
     * @param seed what distinguishes it from others
     * @param architecture the architecture that its configuration names
     * @return the image
     */
    public static TestImage image(String seed, String architecture) {
        return image(seed, architecture, Map.of());
    }

    /**
     * Creates an image for linux/amd64 with labels.
     *
     * @param seed what distinguishes it from others
     * @param labels the labels of its configuration
     * @return the image
     */
    public static TestImage labelled(String seed, Map<String, String> labels) {
        return image(seed, "amd64", labels);
    }

    private static TestImage image(String seed, String architecture, Map<String, String> labels) {
        byte[] layer = utf8("layer of " + seed);
        StringBuilder all = new StringBuilder("\"seed\":\"" + seed + "\"");
        new TreeMap<>(labels)
                .forEach((name, value) -> all.append(",\"")
                        .append(name)
                        .append("\":\"")
                        .append(value)
                        .append('"'));
        byte[] config = utf8("{\"architecture\":\"" + architecture + "\",\"os\":\"linux\",\"config\":{\"Labels\":{"
                + all + "}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + digest(layer) + "\"]}}");
        String manifest = "{\"schemaVersion\":2,\"mediaType\":\"" + OCI_MANIFEST + "\",\"config\":"
                + descriptor("application/vnd.oci.image.config.v1+json", config, "") + ",\"layers\":["
                + descriptor("application/vnd.oci.image.layer.v1.tar", layer, "") + "]}";
        Map<String, byte[]> blobs = new LinkedHashMap<>();
        blobs.put(digest(config), config);
        blobs.put(digest(layer), layer);
        return new TestImage(OCI_MANIFEST, utf8(manifest), blobs, Map.of());
    }

    /**
     * Creates an index of one image per architecture.
     *
     * @param seed what distinguishes it from others
     * @param architectures the architectures, for example {@code amd64}, {@code arm64}
     * @return the index
     */
    public static TestImage index(String seed, String... architectures) {
        Map<String, TestImage> children = new LinkedHashMap<>();
        String entries = Stream.of(architectures)
                .map(architecture -> {
                    TestImage child = image(seed, architecture);
                    children.put(child.digest(), child);
                    return descriptor(
                            OCI_MANIFEST,
                            child.manifest(),
                            ",\"platform\":{\"architecture\":\"" + architecture + "\",\"os\":\"linux\"}");
                })
                .collect(Collectors.joining(","));
        String index = "{\"schemaVersion\":2,\"mediaType\":\"" + OCI_INDEX + "\",\"manifests\":[" + entries + "]}";
        return new TestImage(OCI_INDEX, utf8(index), Map.of(), children);
    }

    /**
     * The digest of the manifest.
     *
     * @return {@code sha256:} and 64 hexadecimal digits
     */
    public String digest() {
        return digest(manifest);
    }

    /**
     * The digest of some bytes.
     *
     * @param bytes the bytes
     * @return {@code sha256:} and 64 hexadecimal digits
     */
    public static String digest(byte[] bytes) {
        try {
            return "sha256:"
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private static String descriptor(String mediaType, byte[] content, String more) {
        return "{\"mediaType\":\"" + mediaType + "\",\"digest\":\"" + digest(content) + "\",\"size\":" + content.length
                + more + "}";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
