package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published sequences of uploads by other clients; the table says where each is from, and where we do otherwise. */
class PeerUploadsTest {
    private static final String UPLOADS = "/v2/team/app/blobs/uploads/";

    @AutoClose
    private final ToClose open = new ToClose();

    private final List<String> answers = new ArrayList<>();
    private final FakeServer registry = open.add(new FakeServer(this::answer));
    private final RegistryClient client = open.add(RegistryClient.builder()
            .defaults(HostOptions.DEFAULTS.withPlainHttp())
            .attempts(2)
            .sleeper(duration -> {})
            .build());
    private final Repository repository = registry.image("team/app").toRepository();

    private synchronized MockResponse answer(RecordedRequest request) {
        MockResponse response = new MockResponse();
        for (String part :
                answers.isEmpty() ? List.of("500") : List.of(answers.remove(0).split(" ", -1))) {
            int equals = part.indexOf('=');
            if (equals < 0) {
                response.setResponseCode(Integer.parseInt(part));
            } else if (part.startsWith("code=")) {
                response.setBody("{\"errors\":[{\"code\":\"" + part.substring(equals + 1) + "\"}]}");
            } else {
                response.setHeader(part.substring(0, equals), part.substring(equals + 1));
            }
        }
        return response;
    }

    private static String shown(RecordedRequest request, String line) {
        String range = request.getHeader("Content-Range");
        String size = request.getBodySize() > 0 ? " #" + request.getBodySize() : "";
        return line + (range == null ? size : " @" + range);
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/uploads.csv", delimiter = '|', quoteCharacter = '`', maxCharsPerColumn = 10_000)
    void anUploadGoesOn(String how, String exchange, String result) {
        byte[] content = (how.equals("empty") ? "" : "0123456789").getBytes(StandardCharsets.US_ASCII);
        Digest digest = Digest.of(how.equals("sha512") ? "sha512" : "sha256", content);
        String concrete = exchange.replace("DGST", digest.toString())
                .replace("UPLOADS", UPLOADS)
                .replace("BASE", registry.url());
        List<String> expected = new ArrayList<>();
        for (String step : concrete.split(" ; ", -1)) {
            String[] sides = step.split(" -> ", 2);
            expected.add(sides[0]);
            answers.add(sides[1]);
        }

        String actual = push(how, new Descriptor("application/octet-stream", digest, content.length), content);

        List<String> lines = registry.lines();
        List<String> requests = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            requests.add(shown(registry.requests.get(i), lines.get(i)));
        }
        assertThat(requests).isEqualTo(expected);
        assertThat(actual).isEqualTo(result);
    }

    private String push(String how, Descriptor blob, byte[] content) {
        PushOptions options = switch (how) {
            case "chunks" -> PushOptions.DEFAULTS.withChunks(4);
            case "post" -> PushOptions.DEFAULTS.withSinglePost();
            default -> PushOptions.DEFAULTS;
        };
        try {
            if (how.equals("mount")) {
                return client.mountBlob(repository, "baz/bar", blob.digest()) ? "mounted" : "not mounted";
            }
            client.pushBlob(repository, blob, () -> new ByteArrayInputStream(content), options);
            return "stored";
        } catch (RegistryException | InterruptedException e) {
            return e.getClass().getSimpleName();
        }
    }
}
