package io.urunner.agent.app.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AgentServerTest {
    private final AtomicReference<String> problem = new AtomicReference<>("");

    @AutoClose
    private final AgentServer server = new AgentServer(
            0,
            Map.of("/livez", problem::get, "/brokenz", () -> {
                throw new AssertionError("a defect");
            }),
            Map.of(
                    "/echo",
                    new Echo(),
                    "/broken",
                    request -> {
                        throw new IllegalStateException("a defect");
                    },
                    "/refusal",
                    new Broken("refusal"),
                    "/longestBody",
                    new Broken("longestBody"),
                    "/answer",
                    new Broken("answer"),
                    "/nothing",
                    new Broken("nothing")),
            Thread::new,
            System::nanoTime);

    private static final class Echo implements Endpoint {
        @Override
        public Response answer(Request request) {
            return Response.text(200, request.query() + new String(request.body(), StandardCharsets.UTF_8));
        }

        @Override
        public int longestBody() {
            return 8;
        }
    }

    @Test
    void aProbeSucceedsUntilSomethingIsWrong() throws Exception {
        int port = server.start();
        assertThat(get(port, "/livez").statusCode()).isEqualTo(200);
        problem.set("the scheduler stands still");
        HttpResponse<String> answer = get(port, "/livez");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("the scheduler stands still\n");
    }

    @Test
    void unknownPathsAndWrongMethodsAreRefused() throws Exception {
        int port = server.start();
        assertThat(get(port, "/").statusCode()).isEqualTo(404);
        assertThat(get(port, "/livez/more").statusCode()).isEqualTo(404);
        HttpResponse<String> answer = send(port, "/livez", "POST", "x");
        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("Allow")).hasValue("GET, HEAD");
        assertThat(send(port, "/livez", "HEAD", "").body()).isEmpty();
    }

    @Test
    void anEndpointReadsQueryAndBodyUpToItsLimit() throws Exception {
        int port = server.start();
        assertThat(send(port, "/echo?a=1%202&b", "POST", "body").body()).isEqualTo("{a=1 2, b=}body");
        HttpResponse<String> tooLong = send(port, "/echo", "POST", "longer than eight");
        assertThat(tooLong.statusCode()).isEqualTo(413);
        assertThat(tooLong.body()).isEqualTo("the body is longer than 8 bytes\n");
    }

    @Test
    void aDefectIsAnsweredAndTheServerContinues() throws Exception {
        int port = server.start();
        assertThat(get(port, "/broken").statusCode()).isEqualTo(500);
        assertThat(get(port, "/brokenz").statusCode()).isEqualTo(500);
        assertThat(get(port, "/livez").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"refusal", "longestBody", "answer", "nothing"})
    void anErrorAtAnyStepEndsOnlyThatRequest(String step) throws Exception {
        int port = server.start();
        for (int i = 0; i < 20; i++) {
            assertThat(send(port, "/" + step, "POST", "x").statusCode()).isEqualTo(500);
        }
        assertThat(send(port, "/echo", "POST", "x").statusCode()).isEqualTo(200);
    }

    /** Fails at one step. */
    private record Broken(String step) implements Endpoint {
        private void at(String here) {
            if (step.equals(here)) {
                throw new NoClassDefFoundError("a library of nobody");
            }
        }

        @Override
        public Optional<Response> refusal(Request head) {
            at("refusal");
            return Optional.empty();
        }

        @Override
        public int longestBody() {
            at("longestBody");
            return 8;
        }

        @Override
        @SuppressWarnings("NullAway")
        public Response answer(Request request) {
            at("answer");
            return step.equals("nothing") ? null : Response.text(200, "");
        }
    }

    @Test
    void aPortInUseIsNamedWithTheRemedy() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            try (AgentServer second =
                    new AgentServer(taken.getLocalPort(), Map.of(), Map.of(), Thread::new, System::nanoTime)) {
                assertThatThrownBy(second::start)
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("port " + taken.getLocalPort())
                        .hasMessageContaining("URUNNER_CONF_HTTP_PORT");
            }
        }
    }

    @Test
    void canBeStartedOnceAndClosedRepeatedly() throws Exception {
        server.start();
        assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
        server.close();
        server.close();
    }

    private static HttpResponse<String> get(int port, String path) throws Exception {
        return send(port, path, "GET", "");
    }

    private static HttpResponse<String> send(int port, String path, String method, String body) throws Exception {
        URI uri = URI.create("http://" + InetAddress.getLoopbackAddress().getHostAddress() + ":" + port + path);
        return HttpClient.newHttpClient()
                .send(
                        java.net.http.HttpRequest.newBuilder(uri)
                                .method(method, BodyPublishers.ofString(body))
                                .build(),
                        BodyHandlers.ofString());
    }
}
