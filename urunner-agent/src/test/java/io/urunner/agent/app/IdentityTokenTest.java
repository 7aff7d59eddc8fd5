package io.urunner.agent.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.testing.UsedSecrets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.HttpUrl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code urunner image} with what {@code docker login} leaves for a registry with an identity provider, such as Azure's: a
 * refresh token in place of a password (OAuth 2, RFC 6749, section 6).
 */
class IdentityTokenTest extends WiredCommands {
    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);
    private static final String REFRESH = "refresh-0123456789";
    private static final String ACCESS = "access-0123456789";

    private final MockWebServer server = new MockWebServer();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<HttpUrl> forms = new CopyOnWriteArrayList<>();
    private String host = "";
    private int status = 200;
    private String token = "{\"access_token\":\"" + ACCESS + "\"}";

    @BeforeEach
    void start() throws IOException {
        UsedSecrets.add(REFRESH);
        UsedSecrets.add(ACCESS);
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                requests.add(request.getMethod() + " " + request.getTarget());
                return request.getTarget().equals("/oauth2/token") ? exchanged(request) : answer(request);
            }
        });
        server.start();
        host = "localhost:" + server.getPort();
        Files.createDirectories(folder.resolve(".docker"));
        // The user without a meaning, and no password: as docker login writes it for Azure.
        String auth = Base64.getEncoder()
                .encodeToString("00000000-0000-0000-0000-000000000000:".getBytes(StandardCharsets.UTF_8));
        Files.writeString(
                folder.resolve(".docker/config.json"),
                "{\"auths\": {\"" + host + "\": {\"auth\": \"" + auth + "\", \"identitytoken\": \"" + REFRESH
                        + "\"}}}");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private MockResponse exchanged(RecordedRequest request) {
        assertThat(request.getHeaders().get("Authorization")).isNull();
        forms.add(HttpUrl.get("https://form.invalid/?" + request.getBody().utf8()));
        return new MockResponse.Builder().code(status).body(token).build();
    }

    private MockResponse answer(RecordedRequest request) {
        MockResponse.Builder answer = new MockResponse.Builder();
        if (!("Bearer " + ACCESS).equals(request.getHeaders().get("Authorization"))) {
            return answer.code(401)
                    .addHeader(
                            "WWW-Authenticate",
                            "Bearer realm=\"http://" + host + "/oauth2/token\",service=\"team.example\","
                                    + "scope=\"repository:app:pull\"")
                    .build();
        }
        return request.getTarget().startsWith("/v2/app/tags/list")
                ? answer.body("{\"name\":\"app\",\"tags\":[\"v1\"]}").build()
                : answer.addHeader("Docker-Content-Digest", DIGEST)
                        .addHeader("Content-Type", "application/vnd.oci.image.index.v1+json")
                        .setHeader("Content-Length", 100)
                        .build();
    }

    private List<String> shown(String parameter) {
        List<String> values = new ArrayList<>();
        forms.forEach(form -> values.add(String.valueOf(form.queryParameter(parameter))));
        return values;
    }

    @Test
    void theRefreshTokenIsExchangedAtTheTokenServer() {
        assertThat(run("image", "digest", host + "/app:v1")).as(err.toString()).isZero();

        assertThat(out.toString()).isEqualTo(DIGEST + "\n");
        assertThat(requests)
                .containsExactly("HEAD /v2/app/manifests/v1", "POST /oauth2/token", "HEAD /v2/app/manifests/v1");
        assertThat(shown("grant_type")).containsExactly("refresh_token");
        assertThat(shown("refresh_token")).containsExactly(REFRESH);
        assertThat(shown("service")).containsExactly("team.example");
        assertThat(shown("scope")).containsExactly("repository:app:pull");
        assertThat(shown("client_id")).doesNotContain("", "null");
        out.getBuffer().setLength(0);

        assertThat(run("image", "ls", host + "/app")).as(err.toString()).isZero();
        assertThat(out.toString()).isEqualTo("v1\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "401 | {\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}"
                        + " | authentication required",
                "400 | {\"error\":\"invalid_grant\",\"error_description\":\"the refresh token has expired\"}"
                        + " | the refresh token has expired",
                "401 | '' | HTTP 401"
            })
    void anExpiredRefreshTokenIsRefusedWithWhatToDo(int refusal, String body, String words) {
        status = refusal;
        token = body;

        assertThat(run("image", "digest", host + "/app:v1")).isEqualTo(1);

        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .contains("the token server " + host + " rejects the credential", "log in again", words)
                .doesNotContain(REFRESH, "\tat ")
                .hasLineCount(1);
        assertThat(forms).as("it is not shown again").hasSize(1);
    }
}
