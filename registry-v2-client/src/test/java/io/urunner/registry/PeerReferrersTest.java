package io.urunner.registry;

import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of referrers by other clients; each table says where it is from, and where we decide otherwise. */
class PeerReferrersTest {
    private static final Descriptor SUBJECT =
            new Descriptor(MediaType.OCI_MANIFEST, Digest.parse("sha256:" + "a".repeat(64)), 7);
    private static final String TAG = "sha256-" + "a".repeat(64);
    private static final Manifest IMAGE = Manifest.of(Manifest.EMPTY_CONFIG, List.of(), Map.of());

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> status(500)));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .attempts(1)
            .sleeper(duration -> {})
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    private final Map<String, byte[]> manifests = new ConcurrentHashMap<>();

    private static byte[] text(String content) {
        return content.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] body(String shape) {
        if (shape.equals("image")) {
            return IMAGE.content();
        } else if (!shape.startsWith("index:")) {
            return text(shape);
        }
        List<Descriptor> entries = new ArrayList<>();
        String types = shape.substring("index:".length());
        for (String type : types.isEmpty() ? List.<String>of() : List.of(types.split(",", -1))) {
            entries.add(new Descriptor(
                    MediaType.OCI_MANIFEST,
                    Digest.of(text(type + entries.size())),
                    7,
                    Optional.empty(),
                    type.equals("-") ? Optional.empty() : Optional.of(type),
                    Map.of()));
        }
        return Index.of(entries, Map.of()).content();
    }

    private static MockResponse described(String answer) {
        MockResponse response = new MockResponse().setHeader("Content-Type", MediaType.OCI_INDEX);
        String[] parts = answer.split(" ", -1);
        response.setResponseCode(Integer.parseInt(parts[0]));
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            if (parts[i].startsWith("code=")) {
                response.setBody("{\"errors\":[{\"code\":\"" + parts[i].substring(equals + 1) + "\"}]}");
            } else if (equals > 0) {
                response.setHeader(parts[i].substring(0, equals), parts[i].substring(equals + 1));
            } else {
                response.setBody(new Buffer().write(body(parts[i])));
            }
        }
        return response;
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/referrers.csv", delimiter = '|', quoteCharacter = '`')
    void referrersAreListed(String type, String api, String tag, @Nullable String expected) {
        registry.answer(request -> described(
                String.valueOf(request.getPath()).contains("/referrers/") ? api : tag.equals("none") ? "500" : tag));
        List<String> types = new ArrayList<>();
        String actual;
        try {
            Optional<String> wanted = type.equals("all") ? Optional.empty() : Optional.of(type);
            client.referrers(repository, SUBJECT.digest(), wanted)
                    .all()
                    .forEach(entry -> types.add(entry.artifactType().orElse("-")));
            actual = String.join(",", types);
        } catch (RegistryException | InterruptedException e) {
            actual = e.getClass().getSimpleName();
        }
        assertThat(actual).isEqualTo(expected == null ? "" : expected);
        if (tag.equals("none")) {
            assertThat(registry.requests).as("the tag is not asked for").hasSize(1);
        }
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/referrers-tags.csv", delimiter = '|', quoteCharacter = '`')
    void theTagIsMadeOfTheDigest(String digest, String tag) {
        assertThat(Referrers.tag(repository, Digest.carried(digest)).tagOrDigest())
                .isEqualTo(tag);
    }

    /** A registry without the referrers API. */
    private MockResponse stored(RecordedRequest request) {
        String path = String.valueOf(request.getPath());
        String name = path.substring(path.lastIndexOf('/') + 1);
        if (path.contains("/referrers/")) {
            return status(404);
        }
        return switch (String.valueOf(request.getMethod())) {
            case "PUT" -> {
                manifests.put(name, request.getBody().clone().readByteArray());
                yield status(201);
            }
            case "DELETE" -> status(manifests.remove(name) == null ? 404 : 202);
            default -> {
                byte[] content = manifests.get(name);
                yield content == null ? status(404) : new MockResponse().setBody(new Buffer().write(content));
            }
        };
    }

    private static Manifest named(String name) {
        return Manifest.artifact("application/" + name, List.of(), Optional.of(SUBJECT), Map.of());
    }

    private static Index list(List<String> names) {
        List<Descriptor> entries = new ArrayList<>();
        for (String name : names) {
            if (!name.isEmpty()) {
                entries.add(named(name).descriptor());
            }
        }
        return Index.of(entries, Map.of());
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/referrers-changes.csv", delimiter = '|')
    void theListIsChanged(String before, String change, String after) {
        registry.answer(this::stored);
        byte[] given = switch (before) {
            case "none" -> null;
            case "image" -> IMAGE.content();
            case "html" -> text("<html>");
            default -> list(List.of(before.split(",", -1))).content();
        };
        if (given != null) {
            manifests.put(TAG, given);
        }
        Manifest changed = named(change.substring(1));
        String failure = "";
        try {
            if (change.startsWith("+")) {
                client.pushManifest(repository.digest(changed.digest()), changed);
            } else {
                manifests.put(changed.digest().toString(), changed.content());
                client.deleteManifest(repository, changed.digest());
            }
        } catch (RegistryException | InterruptedException e) {
            failure = e.getClass().getSimpleName();
        }

        boolean kept = after.equals("unchanged") || after.endsWith("Exception");
        assertThat(failure).isEqualTo(after.endsWith("Exception") ? after : "");
        assertThat(manifests.containsKey(changed.digest().toString())).isEqualTo(change.startsWith("+"));
        assertThat(registry.lines().contains("PUT /v2/team/app/manifests/" + TAG))
                .isEqualTo(!kept);
        byte[] now = manifests.get(TAG);
        if (kept) {
            assertThat(now).isEqualTo(given);
        } else {
            assertThat(((Index) ManifestOrIndex.parse(now == null ? new byte[0] : now, ""))
                            .manifests().stream().map(Descriptor::digest))
                    .containsExactlyElementsOf(list(List.of(after.split(",", -1))).manifests().stream()
                            .map(Descriptor::digest)
                            .toList());
        }
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/referrers-entries.csv", delimiter = '|', quoteCharacter = '`')
    void anEntryTellsWhatItLists(String content, String type, String annotations) throws Exception {
        registry.answer(this::stored);
        String subject =
                "{\"mediaType\":\"" + MediaType.OCI_MANIFEST + "\",\"digest\":\"" + SUBJECT.digest() + "\",\"size\":7}";
        ManifestOrIndex pushed = ManifestOrIndex.parse(text(content.replace("SUBJECT", subject)), "");

        client.pushManifest(repository.digest(pushed.digest()), pushed);

        List<Descriptor> entries =
                client.referrers(repository, SUBJECT.digest(), Optional.empty()).all();
        assertThat(entries).hasSize(1);
        Descriptor entry = entries.get(0);
        assertThat(entry.digest()).isEqualTo(pushed.digest());
        assertThat(entry.mediaType()).isEqualTo(pushed.mediaType());
        assertThat(entry.size()).isEqualTo(pushed.content().length);
        assertThat(entry.artifactType().orElse("-")).isEqualTo(type);
        assertThat(new TreeMap<>(entry.annotations())).hasToString(annotations);
    }
}
