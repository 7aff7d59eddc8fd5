package io.urunner.registry.copy;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of layouts and archives; each table says where it is from, and where we decide otherwise. */
class PeerLayoutsTest {
    private static final String PEERS = "/io/urunner/registry/peers/";
    private static final String REFUSED = "refused: ";
    private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};

    @TempDir
    Path folder;

    private final MemoryStore target = new MemoryStore();
    private final Map<String, byte[]> contents = new LinkedHashMap<>();
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final Map<String, String> links = new LinkedHashMap<>();

    @BeforeEach
    void contents() {
        Manifest a = image("A", "linux/amd64");
        Manifest b = image("B", "linux/arm64");
        name(
                "L",
                Index.of(List.of(TestImages.entry(a, "linux/amd64"), TestImages.entry(b, "linux/arm64")), Map.of())
                        .content());
        name("D", filled("""
                {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",\
                "config":{"mediaType":"application/vnd.docker.container.image.v1+json",<A.config>},"layers":[]}"""));
        name("M", filled("""
                {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json",\
                "manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json",<D>,\
                "platform":{"os":"linux","architecture":"amd64"}}]}"""));
        name("X", text("hello world"));
        name(
                "U",
                filled("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",<A.config>},\"layers\":[{\"mediaType\":"
                        + "\"a/b\",\"digest\":\"blake3:" + "a".repeat(64) + "\",\"size\":3}]}"));
        name(
                "W",
                filled("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",<A.config>},\"layers\":[{\"mediaType\":"
                        + "\"a/b\",\"digest\":\"<X.digest>\",\"size\":12}]}"));
    }

    private Manifest image(String name, String platform) {
        Manifest image = TestImages.image(
                (type, content) -> {
                    name(name + (type.equals(MediaType.OCI_CONFIG) ? ".config" : ".layer"), content);
                    return new Descriptor(type, Digest.of(content), content.length);
                },
                platform);
        name(name, image.content());
        return image;
    }

    private void name(String name, byte[] content) {
        contents.put(name, content);
        names.putIfAbsent(Digest.of(content).toString(), name);
        names.putIfAbsent(Digest.of("sha512", content).toString(), name);
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Puts digests and sizes where a text names contents. */
    private byte[] filled(String text) {
        String filled = text;
        for (Map.Entry<String, byte[]> each : contents.entrySet()) {
            Digest digest = Digest.of(each.getValue());
            int size = each.getValue().length;
            filled = filled.replace("<" + each.getKey() + ".digest>", digest.toString())
                    .replace(
                            "<" + each.getKey() + ".sha512>",
                            Digest.of("sha512", each.getValue()).toString())
                    .replace("<" + each.getKey() + ".hex>", digest.hex())
                    .replace("<" + each.getKey() + ">", "\"digest\":\"" + digest + "\",\"size\":" + size);
        }
        return text(filled);
    }

    private String filled(@Nullable String text, String otherwise) {
        return text == null ? otherwise : new String(filled(text), StandardCharsets.UTF_8);
    }

    /** {@code NAME=reference}, with a second {@code =} before the name of containerd, for each entry. */
    private byte[] index(String described) {
        if (!described.startsWith("entries")) {
            return filled(described);
        }
        List<Descriptor> entries = new ArrayList<>();
        for (String each : described.substring("entries".length()).strip().split(" ", -1)) {
            String[] parts = each.split("=", -1);
            Map<String, String> annotations = new HashMap<>();
            if (parts.length > 1 && !parts[1].isEmpty()) {
                annotations.put("org.opencontainers.image.ref.name", parts[1]);
            }
            if (parts.length > 2) {
                annotations.put("io.containerd.image.name", parts[2]);
            }
            entries.add(ManifestOrIndex.parse(contents.getOrDefault(parts[0], new byte[0]), "")
                    .descriptor()
                    .withoutDetails()
                    .withAnnotations(annotations));
        }
        return Index.of(entries, Map.of()).content();
    }

    private ImageStore store(String in) throws IOException {
        if (in.equals("folder")) {
            for (Map.Entry<String, byte[]> each : files.entrySet()) {
                Path file = folder.resolve(each.getKey());
                Files.createDirectories(Objects.requireNonNull(file.getParent()));
                Files.write(file, each.getValue());
            }
            return Layouts.folder(folder);
        }
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        String prefix = in.startsWith("./") ? "./" : "";
        files.forEach((path, content) -> tar.writeBytes(
                TarTest.blocks(prefix + path, '0', "", String.format("%011o", content.length), content)));
        links.forEach((path, to) -> tar.writeBytes(TarTest.blocks(path, '2', to, "0", new byte[0])));
        tar.writeBytes(new byte[1024]);
        Path file = folder.resolve("image.tar");
        Files.write(
                file,
                switch (in) {
                    case "gzip" -> TestImages.gzip(tar.toByteArray());
                    case "zstd" -> ZSTD;
                    default -> tar.toByteArray();
                });
        return Layouts.readArchive(file);
    }

    /** Copies, and says what of: an image with its parts, or that it is refused with the expected words. */
    private String copied(String in, String reference, boolean withParts, String expected) throws Exception {
        String copied;
        try (ImageStore store = store(in)) {
            CopyResult result = Copy.from(store, reference).to(target, "v1").run();
            copied = nameOf(result.image().digest());
            if (withParts) {
                List<String> parts = new ArrayList<>();
                target.manifest("v1").parts().forEach(part -> parts.add(nameOf(part.digest())));
                copied = String.join(" ", parts);
            }
        } catch (IOException e) {
            String words = expected.startsWith(REFUSED) ? filled(expected.substring(REFUSED.length()), "") : "?";
            copied = String.valueOf(e.getMessage()).contains(words) ? expected : REFUSED + e.getMessage();
        }
        assertThat(target.manifests.containsKey("v1"))
                .as("it is there as a whole, or not at all")
                .isEqualTo(!copied.startsWith(REFUSED));
        return copied;
    }

    private String nameOf(Digest digest) {
        return names.getOrDefault(digest.toString(), digest.toString());
    }

    @ParameterizedTest
    @CsvFileSource(
            resources = PEERS + "layouts.csv",
            delimiter = '|',
            quoteCharacter = '`',
            nullValues = "-",
            maxCharsPerColumn = 10_000)
    void anImageOfALayoutIsFound(
            String in,
            @Nullable String version,
            @Nullable String index,
            @Nullable String changes,
            @Nullable String reference,
            String expected)
            throws Exception {
        contents.forEach((name, content) ->
                files.put("blobs/sha256/" + Digest.of(content).hex(), content));
        if (version != null) {
            files.put("oci-layout", text(version.equals("1.0.0") ? "{\"imageLayoutVersion\":\"1.0.0\"}" : version));
        }
        if (index != null) {
            files.put("index.json", index(index));
        }
        for (String change : changes == null ? List.<String>of() : List.of(changes.split(" ", -1))) {
            byte[] content =
                    contents.getOrDefault(change.substring(1), new byte[0]).clone();
            String path = "blobs/sha256/" + Digest.of(content).hex();
            switch (change.charAt(0)) {
                case '-' -> files.remove(path);
                case '~' -> {
                    content[0] ^= 1;
                    files.put(path, content);
                }
                case '<' -> files.put(path, Arrays.copyOf(content, content.length - 1));
                default ->
                    files.put("blobs/sha512/" + Digest.of("sha512", content).hex(), content);
            }
        }

        assertThat(copied(in, filled(reference, ""), false, expected)).isEqualTo(expected);
    }

    private byte[] saved(String thing) {
        byte[] layer = new byte[thing.endsWith("2") ? 2048 : 1024];
        return switch (thing) {
            case "L1", "L2" -> layer;
            case "G1", "G2" -> TestImages.gzip(layer);
            case "Z1" -> Arrays.copyOf(ZSTD, 100);
            default -> {
                List<String> ids = new ArrayList<>();
                for (char each : thing.substring(1).toCharArray()) {
                    ids.add("\"" + Digest.of(saved("L" + each)) + "\"");
                }
                yield text("{\"os\":\"" + (thing.startsWith("F") ? "foo" : "linux")
                        + "\",\"architecture\":\"amd64\",\"rootfs\":{\"diff_ids\":" + ids + "}}");
            }
        };
    }

    @ParameterizedTest
    @CsvFileSource(resources = PEERS + "archives.csv", delimiter = '|', quoteCharacter = '`', nullValues = "-")
    void anImageOfAnArchiveIsFound(
            @Nullable String described,
            @Nullable String list,
            @Nullable String reference,
            @Nullable String expectedNames,
            String expected)
            throws Exception {
        contents.clear();
        names.clear();
        for (String thing : List.of("L1", "L2", "G1", "G2", "Z1", "C1", "C2", "C12", "C21", "C11", "C", "F1")) {
            name(thing, saved(thing));
        }
        for (String file : described == null ? List.<String>of() : List.of(described.split(" ", -1))) {
            int equals = file.indexOf('=');
            String path = filled(file.substring(0, equals), "");
            String thing = file.substring(equals + 1);
            if (thing.startsWith("->")) {
                links.put(path, thing.substring(2));
            } else {
                byte[] content = thing.startsWith("{") ? text(thing) : saved(thing);
                name(thing, content);
                files.put(path, content);
            }
        }
        if (list != null) {
            files.put("manifest.json", filled(list));
        }

        String copied = copied("tar", filled(reference, ""), true, expected);

        assertThat(copied).isEqualTo(expected);
        if (!copied.startsWith(REFUSED)) {
            assertThat(String.join(", ", store("tar").tags())).isEqualTo(expectedNames == null ? "" : expectedNames);
        }
    }
}
