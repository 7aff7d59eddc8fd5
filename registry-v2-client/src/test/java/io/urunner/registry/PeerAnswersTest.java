package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.mockwebserver.SocketPolicy;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** What answers mean to other clients, as they publish it; the table says where each case is from, and where we differ. */
class PeerAnswersTest {
    private static final byte[] INDEX = Index.of(List.of(), Map.of()).content();
    private static final byte[] BLOB = blob();

    @AutoClose
    private final ToClose open = new ToClose();

    private final ManualTime time = new ManualTime();
    private final List<String> answers = new ArrayList<>();
    private final FakeServer registry = open.add(new FakeServer(this::answer));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .ticker(time::nanos)
            .sleeper(time::sleep)
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    private static byte[] blob() {
        byte[] content = new byte[128];
        new Random(1).nextBytes(content);
        return content;
    }

    private synchronized MockResponse answer(RecordedRequest request) {
        MockResponse response = new MockResponse();
        byte[] body = {};
        for (String part : answers.remove(0).split(" ", -1)) {
            String[] sides = part.split("=", 2);
            switch (sides[0]) {
                case "manifest" -> {
                    response.setHeader("Content-Type", MediaType.OCI_INDEX)
                            .setHeader("Docker-Content-Digest", Digest.of(INDEX).toString());
                    body = INDEX;
                }
                case "blob" -> body = BLOB;
                case "encoded" -> {
                    response.setHeader("Content-Encoding", sides[1]);
                    body = encoded(sides[1]);
                }
                case "cut" -> response.setSocketPolicy(SocketPolicy.DISCONNECT_DURING_RESPONSE_BODY);
                case "lost" -> response.setSocketPolicy(SocketPolicy.DISCONNECT_AFTER_REQUEST);
                case "from" -> {
                    int from = Integer.parseInt(sides[1]);
                    response.setResponseCode(206).setHeader("Content-Range", "bytes " + from + "-127/128");
                    body = Arrays.copyOfRange(BLOB, from, BLOB.length);
                }
                case "type" -> response.setHeader("Content-Type", sides[1]);
                case "without" -> response.removeHeader(sides[1]);
                default -> response.setResponseCode(Integer.parseInt(part));
            }
        }
        if ("HEAD".equals(request.getMethod()) && response.getHeaders().get("Content-Length") != null) {
            response.setHeader("Content-Length", body.length);
        } else if (!"HEAD".equals(request.getMethod())) {
            response.setBody(new Buffer().write(body));
        }
        return response;
    }

    private static byte[] encoded(String encoding) {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        try (var out = encoding.equals("gzip") ? new GZIPOutputStream(encoded) : new DeflaterOutputStream(encoded)) {
            out.write(BLOB);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return encoded.toByteArray();
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/answers.csv", delimiter = '|', quoteCharacter = '`')
    void anAnswerMeans(String call, String exchange, String result) throws Exception {
        List<String> expected = new ArrayList<>();
        for (String step : exchange.split(" ; ", -1)) {
            String[] sides = step.split(" -> ", 2);
            expected.add(sides[0]);
            answers.add(sides[1]);
        }

        String actual;
        try {
            actual = outcome(call);
        } catch (RegistryException | IOException e) {
            actual = e.getClass().getSimpleName();
        }

        assertThat(registry.requests.stream().map(PeerAnswersTest::shown).toList())
                .isEqualTo(expected);
        assertThat(actual).isEqualTo(result);
    }

    private static String shown(RecordedRequest request) {
        String range = request.getHeader("Range");
        return request.getMethod() + (range == null ? "" : " " + range.replace("bytes=", "@"));
    }

    private String outcome(String call) throws Exception {
        ImageReference tag = repository.tag("latest");
        Digest digest = Digest.of(BLOB);
        return switch (call) {
            case "resolve" -> found(client.resolve(tag).digest().equals(Digest.of(INDEX)));
            case "find" -> found(client.find(tag).isPresent());
            case "read" -> found(Arrays.equals(client.manifest(tag).content(), INDEX));
            case "has" -> found(client.hasBlob(repository, digest));
            case "blob" -> found(Arrays.equals(read(digest), BLOB));
            case "delete blob" -> {
                client.deleteBlob(repository, digest);
                yield "deleted";
            }
            default -> {
                client.deleteTag(repository, "latest");
                yield "deleted";
            }
        };
    }

    private byte[] read(Digest digest) throws Exception {
        Descriptor blob = new Descriptor("application/octet-stream", digest, BLOB.length);
        try (InputStream content = client.blob(repository, blob)) {
            return content.readAllBytes();
        }
    }

    private static String found(boolean found) {
        return found ? "found" : "missing";
    }
}
