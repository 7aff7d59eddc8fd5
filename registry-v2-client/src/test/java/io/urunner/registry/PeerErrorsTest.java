package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of refusals by other clients; the table says where they are from, and where we decide otherwise. */
class PeerErrorsTest {
    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> json("{}")));
    private final RegistryClient client =
            open.add(RegistryClient.builder().attempts(1).build());

    @ParameterizedTest(name = "{0} {1} {2}")
    @CsvFileSource(resources = "peers/errors.csv", delimiter = '|', quoteCharacter = '`', nullValues = "-")
    void anErrorIsShown(int status, String challenge, String body, String expected) {
        registry.answer(request -> {
            if (String.valueOf(request.getPath()).startsWith("/token")) {
                return json("{\"token\":\"t\"}");
            }
            MockResponse answer = status(status).setBody(body);
            return challenge == null ? answer : answer.setHeader("WWW-Authenticate", challenge);
        });
        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> client.manifest(registry.image("team/app")))
                .satisfies(e -> assertThat(e.getClass().getSimpleName() + " " + e.errors())
                        .isEqualTo(expected))
                .satisfies(e ->
                        e.errors().forEach(error -> assertThat(e.getMessage()).contains(error.toString())));
    }
}
