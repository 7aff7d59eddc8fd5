package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.zip.GZIPOutputStream;

/** Images to copy, which container tools accept: each layer is an archive without files. */
public final class TestImages {
    /** Puts a blob somewhere. */
    @FunctionalInterface
    public interface Blobs extends BiFunction<String, byte[], Descriptor> {}

    private TestImages() {}

    /** An image of one platform with one layer of its own. */
    public static Manifest image(Blobs blobs, String platform) {
        byte[] archive = new byte[1024];
        byte[] layer = gzip(archive);
        Platform runs = Platform.parse(platform);
        byte[] config = ("{\"architecture\":\"" + runs.architecture() + "\",\"os\":\"" + runs.os()
                        + "\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + Digest.of(archive)
                        + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
        return Manifest.of(
                blobs.apply(MediaType.OCI_CONFIG, config),
                List.of(blobs.apply(MediaType.OCI_LAYER, layer)),
                Map.of("title", platform));
    }

    /** An entry of an index. */
    public static Descriptor entry(ManifestOrIndex content, String platform) {
        return new Descriptor(
                content.mediaType(),
                content.digest(),
                content.descriptor().size(),
                Optional.of(Platform.parse(platform)),
                Optional.empty(),
                Map.of());
    }

    /** An index of images that were put already. */
    public static Index index(Map<String, Manifest> images) {
        List<Descriptor> entries = new ArrayList<>();
        images.forEach((platform, image) -> entries.add(entry(image, platform)));
        return Index.of(entries, Map.of());
    }

    /** What refers to a manifest. */
    public static ManifestOrIndex referrer(Blobs blobs, Descriptor subject, String what) {
        Descriptor empty = blobs.apply(MediaType.OCI_EMPTY, "{}".getBytes(StandardCharsets.UTF_8));
        Descriptor content = blobs.apply("text/plain", what.getBytes(StandardCharsets.UTF_8));
        String text = """
                {"schemaVersion":2,"mediaType":"%s","artifactType":"test/%s","config":%s,"layers":[%s],"subject":%s}""".formatted(MediaType.OCI_MANIFEST, what, json(empty), json(content), json(subject));
        return ManifestOrIndex.parse(text.getBytes(StandardCharsets.UTF_8), "");
    }

    private static String json(Descriptor descriptor) {
        return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}"
                .formatted(descriptor.mediaType(), descriptor.digest(), descriptor.size());
    }

    /** Compressed content. */
    public static byte[] gzip(byte[] content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
