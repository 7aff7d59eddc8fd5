package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import okhttp3.HttpUrl;

/** For any input the parsers return or throw what they declare, in time that is linear in its length. */
class ParserFuzzTest {
    private static final String HEX = "0123456789abcdef".repeat(4);

    /** A parser with quadratic time would need hours for these. */
    private static final int LONG = 1_000_000;

    private static final Duration SOON = Duration.ofSeconds(60);

    @Property(seed = "1")
    void any_text_is_a_reference_or_rejected(@ForAll String text) {
        ifAccepted(text, ImageReference::parse).ifPresent(ParserFuzzTest::readsBack);
    }

    @Property(seed = "1")
    void almost_a_reference_is_accepted_or_rejected(@ForAll @From("nearlyReferences") String text) {
        ifAccepted(text, ImageReference::parse).ifPresent(ParserFuzzTest::readsBack);
    }

    @Property(seed = "1")
    void a_text_by_the_grammar_is_a_reference_with_its_parts(
            @ForAll @From("hosts") String host,
            @ForAll @From("paths") String path,
            @ForAll @From("tags") Optional<String> tag,
            @ForAll boolean digest) {
        String text = host + "/" + path + tag.map(t -> ":" + t).orElse("") + (digest ? "@sha256:" + HEX : "");
        ImageReference reference = ImageReference.parse(text);
        assertThat(reference.registry()).isEqualTo(host);
        assertThat(reference.repository()).isEqualTo(path);
        assertThat(reference.tag()).isEqualTo(tag.isPresent() || digest ? tag : Optional.of("latest"));
        assertThat(reference.digest().isPresent()).isEqualTo(digest);
        readsBack(reference);
        assertThat(RegistryPrefix.parse(host).matches(reference)).isTrue();
        assertThat(RegistryPrefix.parse(host + "/" + path).matches(reference)).isTrue();
        assertThat(RegistryPrefix.parse("x" + host).matches(reference)).isFalse();
        assertThat(RegistryPrefix.parse(host + "/" + path + "x").matches(reference))
                .isFalse();
    }

    @Property(seed = "1")
    void any_text_is_a_prefix_or_rejected(@ForAll @From("nearlyReferences") String text) {
        ifAccepted(text, RegistryPrefix::parse)
                .ifPresent(prefix ->
                        assertThat(RegistryPrefix.parse(prefix.toString())).isEqualTo(prefix));
    }

    @Property(seed = "1")
    void any_text_is_a_digest_a_platform_a_repository_or_rejected(@ForAll @From("nearlyReferences") String text) {
        ifAccepted(text, Digest::parse).ifPresent(digest -> assertThat(digest).hasToString(text));
        ifAccepted(text, Digest::carried).ifPresent(digest -> assertThat(digest).hasToString(text));
        ifAccepted(text, Platform::parse)
                .ifPresent(platform ->
                        assertThat(Platform.parse(platform.toString())).isEqualTo(platform));
        ifAccepted(text, Repository::parse)
                .ifPresent(repository ->
                        assertThat(Repository.parse(repository.toString())).isEqualTo(repository));
    }

    @Property(seed = "1")
    void any_bytes_are_a_manifest_or_rejected(@ForAll byte[] content, @ForAll String contentType) {
        parsed(content, contentType);
    }

    @Property(seed = "1")
    void almost_a_manifest_is_accepted_or_rejected(
            @ForAll @From("json") String json, @ForAll @From("contentTypes") String contentType) {
        byte[] content = json.getBytes(StandardCharsets.UTF_8);
        parsed(content, contentType).ifPresent(manifest -> {
            assertThat(manifest.content()).isEqualTo(content);
            if (manifest instanceof Index index) {
                index.select(Platform.LINUX_ARM64);
                index.images();
            }
        });
    }

    @Property(seed = "1")
    void a_damaged_manifest_is_accepted_or_rejected(
            @ForAll @From("damages") List<Tuple.Tuple2<Integer, Byte>> damages) {
        byte[] content = ("{\"schemaVersion\":2,\"mediaType\":\"" + MediaType.OCI_INDEX
                        + "\",\"manifests\":[{\"mediaType\":\""
                        + MediaType.OCI_MANIFEST + "\",\"digest\":\"sha256:" + HEX
                        + "\",\"size\":527,\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"},"
                        + "\"annotations\":{\"a\":\"b\"}}]}")
                .getBytes(StandardCharsets.UTF_8);
        damages.forEach(damage -> content[damage.get1() % content.length] = damage.get2());
        parsed(content, MediaType.OCI_INDEX);
    }

    @Example
    void long_texts_take_no_longer_than_their_length() {
        for (String part :
                List.of("a", "a/", "a.", "a:", "a-", "-", "_", "__", ".", "/", "@", ":", "[", "a@", "[:", "::")) {
            String text = part.repeat(LONG / part.length());
            assertTimeoutPreemptively(SOON, () -> {
                for (String start : List.of("", "reg.example/", "reg.example:", "nginx:", "nginx@", "[", "https://")) {
                    ifAccepted(start + text, ImageReference::parse);
                    ifAccepted(start + text, RegistryPrefix::parse);
                    ifAccepted(start + text, Repository::parse);
                    ifAccepted(start + text, Digest::parse);
                    ifAccepted(start + text, Platform::parse);
                }
            });
        }
    }

    @Example
    void large_and_deep_manifests_take_no_longer_than_their_length() {
        String entry = "{\"mediaType\":\"m\",\"digest\":\"sha256:" + HEX + "\",\"size\":1},";
        for (String part : List.of("[", "{\"a\":", "[],", "{},", "\"a\",", "1,", "1", "\\", " ", "null,", entry)) {
            for (String start : List.of("", "{\"manifests\":[", "{\"annotations\":{\"a\":\"", "{\"schemaVersion\":")) {
                byte[] content =
                        (start + part.repeat((LONG - start.length()) / part.length())).getBytes(StandardCharsets.UTF_8);
                assertTimeoutPreemptively(SOON, () -> parsed(content, MediaType.OCI_INDEX));
            }
        }
    }

    private static <T> Optional<T> ifAccepted(String text, Function<String, T> parser) {
        try {
            return Optional.of(parser.apply(text));
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(1000);
            return Optional.empty();
        }
    }

    private static Optional<ManifestOrIndex> parsed(byte[] content, String contentType) {
        try {
            return Optional.of(ManifestOrIndex.parse(content, contentType));
        } catch (MalformedManifestException e) {
            assertThat(e.getMessage()).isNotBlank().hasSizeLessThan(2000);
            return Optional.empty();
        }
    }

    private static void readsBack(ImageReference reference) {
        assertThat(ImageReference.parse(reference.toString())).isEqualTo(reference);
        assertThat(reference.repository()).hasSizeBetween(1, 255);
        assertThat(HttpUrl.parse("https://" + reference.registry() + "/")).isNotNull();
        assertThat(reference.tag().isPresent() || reference.digest().isPresent())
                .isTrue();
    }

    @Provide
    Arbitrary<String> nearlyReferences() {
        return Arbitraries.of(
                        "nginx",
                        "library",
                        "reg.example",
                        "localhost",
                        "docker.io",
                        "index.docker.io",
                        "5000",
                        "latest",
                        "sha256",
                        "sha512",
                        HEX,
                        "/",
                        "//",
                        ":",
                        "@",
                        ".",
                        "-",
                        "_",
                        "__",
                        "[",
                        "]",
                        "::1",
                        "A",
                        "ß",
                        " ",
                        "\n",
                        "\u0000",
                        "%",
                        "https://",
                        "http://",
                        "xn--",
                        "0000",
                        "linux",
                        "arm64",
                        "v8",
                        "unknown",
                        "\ud800")
                .list()
                .ofMaxSize(12)
                .map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> hosts() {
        Arbitrary<String> label = Arbitraries.strings()
                .withCharRange('a', 'z')
                .withCharRange('0', '9')
                .ofMinLength(1)
                .ofMaxLength(10);
        Arbitrary<String> name = label.list().ofMinSize(2).ofMaxSize(5).map(labels -> String.join(".", labels));
        Arbitrary<String> port = Arbitraries.integers().between(1, 65_535).map(number -> ":" + number);
        return Combinators.combine(name, Arbitraries.oneOf(Arbitraries.just(""), port))
                .as((host, suffix) -> host + suffix);
    }

    @Provide
    Arbitrary<String> paths() {
        Arbitrary<String> word = Arbitraries.strings()
                .withCharRange('a', 'z')
                .withCharRange('0', '9')
                .ofMinLength(1)
                .ofMaxLength(8);
        Arbitrary<String> separator = Arbitraries.of("/", ".", "_", "__", "-", "---");
        return Combinators.combine(
                        word,
                        Combinators.combine(separator, word)
                                .as((s, w) -> s + w)
                                .list()
                                .ofMaxSize(8))
                .as((first, rest) -> first + String.join("", rest));
    }

    @Provide
    Arbitrary<Optional<String>> tags() {
        return Arbitraries.strings()
                .withCharRange('a', 'z')
                .withCharRange('A', 'Z')
                .withCharRange('0', '9')
                .withChars("._-")
                .ofMaxLength(127)
                .map(rest -> "v" + rest)
                .optional();
    }

    @Provide
    Arbitrary<String> contentTypes() {
        return Arbitraries.of(
                "",
                "application/json",
                "text/html; charset=utf-8",
                MediaType.OCI_INDEX,
                MediaType.OCI_MANIFEST,
                MediaType.DOCKER_MANIFEST,
                MediaType.DOCKER_MANIFEST_LIST,
                MediaType.DOCKER_SCHEMA1_SIGNED,
                ";",
                "\u0000");
    }

    /** JSON of the words of manifests, in any nesting. */
    @Provide
    Arbitrary<String> json() {
        Arbitrary<String> name = Arbitraries.of(
                "schemaVersion",
                "mediaType",
                "manifests",
                "config",
                "layers",
                "digest",
                "size",
                "platform",
                "os",
                "architecture",
                "variant",
                "os.version",
                "subject",
                "annotations",
                "artifactType",
                "x");
        Arbitrary<String> scalar = Arbitraries.of(
                "1",
                "2",
                "-1",
                "1.5",
                "1e400",
                "99999999999999999999",
                "null",
                "true",
                "\"\"",
                "\"x\"",
                "\"linux\"",
                "\"sha256:" + HEX + "\"",
                "\"sha512:x\"",
                "\"" + MediaType.OCI_INDEX + "\"",
                "\"" + MediaType.OCI_MANIFEST + "\"",
                "\"unknown\"",
                "\"\\ud800\"");
        Arbitrary<String> descriptor = Arbitraries.just(
                "{\"mediaType\":\"" + MediaType.OCI_MANIFEST + "\",\"digest\":\"sha256:" + HEX + "\",\"size\":1}");
        return Arbitraries.recursive(
                () -> Arbitraries.oneOf(scalar, descriptor),
                inner -> Arbitraries.oneOf(
                        inner.list().ofMaxSize(3).map(items -> "[" + String.join(",", items) + "]"),
                        Combinators.combine(name, inner)
                                .as((key, value) -> "\"" + key + "\":" + value)
                                .list()
                                .ofMaxSize(5)
                                .map(fields -> "{" + String.join(",", fields) + "}")),
                1,
                4);
    }

    @Provide
    Arbitrary<List<Tuple.Tuple2<Integer, Byte>>> damages() {
        return Combinators.combine(Arbitraries.integers().between(0, 10_000), Arbitraries.bytes())
                .as(Tuple::of)
                .list()
                .ofMinSize(1)
                .ofMaxSize(4);
    }
}
