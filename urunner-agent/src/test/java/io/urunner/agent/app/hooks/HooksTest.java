package io.urunner.agent.app.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.urunner.agent.PushedTag;
import io.urunner.agent.app.http.AgentServer;
import io.urunner.agent.text.NastyStrings;
import io.urunner.agent.text.Printable;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.UsedSecrets;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The requests that the hooks accept, over HTTP. */
class HooksTest {
    private static final String SECRET = "hook-secret-4711";
    private static final PushedTag APP = new PushedTag("team/app", "latest");

    private static final String DISTRIBUTION = """
            {"events": [
              {"action": "push", "target": {"mediaType": "application/octet-stream", "repository": "team/app"}},
              {"action": "pull", "target": {"repository": "team/app", "tag": "other"}},
              {"action": "push", "target": {"mediaType": "application/vnd.oci.image.index.v1+json", "tag": "latest",
                "repository": "team/app", "digest": "sha256:0", "url": "http://registry/v2/team/app/manifests/sha256:0"},
                "request": {"host": "registry.internal:5000"}}]}
            """;
    private static final String HARBOR = """
            {"type": "PUSH_ARTIFACT", "event_data": {
              "resources": [{"digest": "sha256:0", "tag": "latest", "resource_url": "harbor.example/team/app:latest"},
                            {"digest": "sha256:1", "tag": "sha256:1"}],
              "repository": {"name": "app", "namespace": "team", "repo_full_name": "team/app"}}}
            """;
    private static final String GITHUB = """
            {"action": "published", "package": {"name": "App", "namespace": "Team", "package_type": "CONTAINER",
              "package_version": {"version": "sha256:0", "container_metadata": {"tag": {"name": "latest"}},
                "package_url": "ghcr.io/team/app:latest"}}}
            """;
    private static final String GENERIC = "{\"reference\": \"registry.example:5000/team/app:latest\"}";

    @TempDir
    private Path folder;

    private final List<PushedTag> hinted = new CopyOnWriteArrayList<>();
    private final List<String> counted = new CopyOnWriteArrayList<>();

    @AutoClose
    private AgentServer server;

    private int port;

    @BeforeEach
    void start() throws Exception {
        Files.writeString(folder.resolve("secret"), SECRET + "\n");
        UsedSecrets.add(SECRET);
        Hooks hooks = new Hooks(
                SecretSource.file(folder.resolve("secret")),
                pushed -> {
                    hinted.addAll(pushed);
                    return Optional.of((int) pushed.stream().filter(APP::equals).count());
                },
                (hook, outcome) -> counted.add(hook + " " + outcome));
        server = new AgentServer(0, Map.of(), hooks.endpoints(), Thread::new, System::nanoTime);
        port = server.start();
    }

    private HttpResponse<String> send(String hook, byte[] body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/hooks/" + hook))
                .POST(BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString());
    }

    private int status(String hook, String body, String secret) throws Exception {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return (hook.equals("github")
                        ? send(
                                hook,
                                bytes,
                                "X-GitHub-Event",
                                "package",
                                "X-Hub-Signature-256",
                                signature(bytes, secret))
                        : send(hook, bytes, "Authorization", secret))
                .statusCode();
    }

    private static String signature(byte[] body, String secret) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return "sha256=" + HexFormat.of().formatHex(mac.doFinal(body));
    }

    private static String body(String hook) {
        return switch (hook) {
            case "distribution" -> DISTRIBUTION;
            case "harbor" -> HARBOR;
            case "github" -> GITHUB;
            default -> GENERIC;
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"distribution", "harbor", "github", "generic"})
    void aPushTriggersACheckAndItsDigestIsNotTrusted(String hook) throws Exception {
        assertThat(status(hook, body(hook), SECRET)).isEqualTo(202);
        assertThat(hinted).containsExactly(APP);
        assertThat(counted).containsExactly(hook + " accepted");
    }

    @ParameterizedTest
    @ValueSource(strings = {"distribution", "harbor", "github", "generic"})
    void aSenderThatDoesNotKnowTheSecretIsRefusedWithoutEffect(String hook) throws Exception {
        for (String wrong : List.of("x", SECRET + "x", "Bearer", "Bearer x", "Basic " + SECRET)) {
            assertThat(status(hook, body(hook), wrong)).as(wrong).isEqualTo(401);
        }
        assertThat(send(hook, body(hook).getBytes(StandardCharsets.UTF_8)).statusCode())
                .isEqualTo(401);
        assertThat(hinted).isEmpty();
        assertThat(counted).hasSize(6).containsOnly(hook + " refused");
    }

    @Test
    void aSignatureOfAnotherBodyIsRefused() throws Exception {
        byte[] body = GITHUB.getBytes(StandardCharsets.UTF_8);
        String signature = signature("another".getBytes(StandardCharsets.UTF_8), SECRET);
        assertThat(send("github", body, "X-Hub-Signature-256", signature).statusCode())
                .isEqualTo(401);
        assertThat(send("github", body, "Authorization", SECRET).statusCode()).isEqualTo(401);
        assertThat(hinted).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer ", "bearer "})
    void theSecretMayFollowBearer(String scheme) throws Exception {
        assertThat(status("generic", GENERIC, scheme + SECRET)).isEqualTo(202);
    }

    @Test
    void aRotatedSecretTakesEffectAtOnce() throws Exception {
        Files.writeString(folder.resolve("secret"), "another-secret");
        assertThat(status("generic", GENERIC, SECRET)).isEqualTo(401);
        assertThat(status("generic", GENERIC, "another-secret")).isEqualTo(202);
        Files.delete(folder.resolve("secret"));
        assertThat(status("generic", GENERIC, "another-secret")).isEqualTo(503);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generic | not JSON",
                "generic | ''",
                "generic | []",
                "generic | {}",
                "generic | {\"reference\": 7}",
                "generic | {\"reference\": \"registry.example:5000/team/app:latest\"} {\"and\": \"more\"}",
                "generic | {\"reference\": \"UPPER/not a reference\"}",
                "distribution | {\"events\": \"many\"}",
                "distribution | {\"events\": [{\"action\": \"push\", \"target\": {\"tag\": \"latest\"}}]}",
                "harbor | {\"event_data\": {}}",
                "harbor | {\"type\": \"PUSH_ARTIFACT\", \"event_data\": {\"repository\": {\"repo_full_name\": \"a/b\"}}}",
                "github | {\"package\": {\"package_type\": \"CONTAINER\"}}",
                "github | 7"
            })
    void malformedRequestsAreAnswered400WithoutEffect(String hook, String body) throws Exception {
        assertThat(status(hook, body, SECRET)).isEqualTo(400);
        assertThat(hinted).isEmpty();
        assertThat(counted).containsExactly(hook + " malformed");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generic | {\"reference\": \"registry.example/unknown/app:latest\"}",
                "generic | {\"reference\": \"registry.example/team/app:dev\"}",
                "distribution | {\"events\": []}",
                "distribution | {\"events\": [{\"action\": \"pull\", \"target\": {\"tag\": \"latest\", \"repository\": \"team/app\"}}]}",
                "harbor | {\"type\": \"DELETE_ARTIFACT\"}",
                "github | {\"zen\": \"Keep it logically awesome.\", \"hook_id\": 1}",
                "github | {\"package\": {\"package_type\": \"npm\"}}"
            })
    void pushesOfReferencesThatAreNotWatchedAreIgnored(String hook, String body) throws Exception {
        assertThat(status(hook, body, SECRET)).isEqualTo(202);
        assertThat(hinted).doesNotContain(APP);
        assertThat(counted).containsExactly(hook + " ignored");
    }

    @Test
    void harborMayWriteCloudEvents() throws Exception {
        String event = HARBOR.replace("PUSH_ARTIFACT", "harbor.artifact.pushed").replace("event_data", "data");
        assertThat(status("harbor", event, SECRET)).isEqualTo(202);
        assertThat(hinted).containsExactly(APP);
    }

    @Test
    void githubMayCallTheEventRegistryPackage() throws Exception {
        String event = GITHUB.replace("\"package\":", "\"registry_package\":")
                .replace("\"namespace\": \"Team\"", "\"owner\": {\"login\": \"Team\"}");
        assertThat(status("github", event, SECRET)).isEqualTo(202);
        assertThat(hinted).containsExactly(APP);
    }

    @Test
    void aBodyOfAMebibyteIsAcceptedAndOneByteMoreIsNot() throws Exception {
        String padded = GENERIC + " ".repeat(1024 * 1024 - GENERIC.length());
        assertThat(status("generic", padded, SECRET)).isEqualTo(202);
        assertThat(status("generic", padded + " ", SECRET)).isEqualTo(413);
        assertThat(hinted).containsExactly(APP);
        assertThat(counted).containsExactly("generic accepted", "generic malformed");
    }

    @Test
    void smallBodiesThatExpandAreMalformed() throws Exception {
        assertThat(status("generic", "[" + "[],".repeat(300_000) + "[]]", SECRET))
                .isEqualTo(400);
        assertThat(status("distribution", "[".repeat(1_000_000), SECRET)).isEqualTo(400);
        assertThat(status("harbor", "{\"a\":".repeat(100_000), SECRET)).isEqualTo(400);
        assertThat(hinted).isEmpty();
    }

    @Test
    void otherMethodsAndOtherHooksAreNotHints() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        List<Integer> statuses = new ArrayList<>();
        for (String path : List.of("/hooks/generic", "/hooks/quay", "/hooks")) {
            statuses.add(client.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                    .header("Authorization", SECRET)
                                    .build(),
                            BodyHandlers.discarding())
                    .statusCode());
        }
        assertThat(statuses).containsExactly(405, 404, 404);
        assertThat(hinted).isEmpty();
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void textsOfASenderAreSanitised(String text) throws Exception {
        String quoted = JsonNodeFactory.instance.textNode(text).toString();
        for (String body : List.of("{\"reference\": " + quoted + "}", "{\"type\": " + quoted + "}", text)) {
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/hooks/generic"))
                                    .header("Authorization", "Bearer " + SECRET)
                                    .POST(BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString());
            assertThat(answer.statusCode()).isBetween(200, 499);
            assertThat(answer.body().lines())
                    .singleElement()
                    .satisfies(line -> NastyStrings.assertHarmless(line, Printable.LINE));
        }
    }
}
