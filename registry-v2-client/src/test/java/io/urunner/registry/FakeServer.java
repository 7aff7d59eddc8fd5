package io.urunner.registry;

import io.urunner.registry.testing.PromptServerSockets;
import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import okio.Buffer;
import org.jspecify.annotations.Nullable;

/** An HTTP server on loopback that a test controls. */
final class FakeServer implements AutoCloseable {
    final MockWebServer server = new MockWebServer();
    final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
    private volatile Function<RecordedRequest, MockResponse> answers;

    FakeServer(Function<RecordedRequest, MockResponse> answers) {
        this.answers = answers;
        server.setServerSocketFactory(new PromptServerSockets());
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                requests.add(request);
                UsedSecrets.sentWith(request);
                MockResponse answer = FakeServer.this.answers.apply(request);
                Buffer body = answer.getBody();
                // This server would do what HTTP forbids.
                return "HEAD".equals(request.getMethod()) && body != null
                        ? answer.setBody("").setHeader("Content-Length", body.size())
                        : answer;
            }
        });
    }

    void answer(Function<RecordedRequest, MockResponse> newAnswers) {
        answers = newAnswers;
    }

    String host() {
        return "127.0.0.1:" + server.getPort();
    }

    String url() {
        return "http://" + host();
    }

    ImageReference image(String name) {
        return ImageReference.parse(host() + "/" + name);
    }

    /** The requests as {@code METHOD path}, decoded. */
    List<String> lines() {
        return requests.stream()
                .map(r -> r.getMethod() + " " + URLDecoder.decode(String.valueOf(r.getPath()), StandardCharsets.UTF_8))
                .toList();
    }

    List<@Nullable String> authorizations() {
        return requests.stream()
                .<@Nullable String>map(r -> r.getHeader("Authorization"))
                .toList();
    }

    static MockResponse manifest(String digest) {
        return new MockResponse()
                .setHeader("Docker-Content-Digest", digest)
                .setHeader("Content-Type", MediaType.OCI_INDEX)
                .setHeader("Content-Length", "1234");
    }

    static MockResponse status(int status) {
        return new MockResponse().setResponseCode(status);
    }

    static MockResponse challenge(String challenge) {
        return status(401).setHeader("WWW-Authenticate", challenge);
    }

    static MockResponse json(String body) {
        return new MockResponse().setHeader("Content-Type", "application/json").setBody(body);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
