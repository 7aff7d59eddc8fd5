package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of refusals and retries by other clients; each table says where it is from, and what is different. */
class PeerErrorsTest {
    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> json("{}")));
    private final RegistryClient client =
            open.add(RegistryClient.builder().attempts(1).build());
    private final ManualTime time = new ManualTime();

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

    @ParameterizedTest
    @CsvFileSource(resources = "peers/retries.csv", delimiter = '|')
    void aRequestIsRepeated(int status, int requests) {
        registry.answer(request -> status(status));
        RegistryClient patient = open.add(RegistryClient.builder()
                .attempts(3)
                .clock(time)
                .ticker(time::nanos)
                .sleeper(time::sleep)
                .build());

        assertThatExceptionOfType(RegistryException.class)
                .isThrownBy(() -> patient.manifest(registry.image("team/app")))
                .satisfies(e -> assertThat(e.isTransient()).isEqualTo(requests == 3))
                .satisfies(e -> assertThat(e.status()).hasValue(status));
        assertThat(registry.lines())
                .hasSize(requests)
                .allMatch(line -> line.equals("GET /v2/team/app/manifests/latest"));
    }
}
