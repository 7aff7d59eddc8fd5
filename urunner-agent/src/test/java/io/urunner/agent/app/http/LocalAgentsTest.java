package io.urunner.agent.app.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.agent.app.http.LocalAgents.LocalAgent;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How commands find the agent on the same machine, and how the agent authenticates them. */
class LocalAgentsTest {
    private static final long PID = ProcessHandle.current().pid();

    @TempDir
    private Path temporary;

    @Test
    void onlyItsUserFindsAnAgentUntilItStops() throws Exception {
        LocalAgents agents = new LocalAgents(temporary);
        LocalAgent agent = new LocalAgent(PID, 8080, BearerToken.random(), "https://10.0.0.1:6443");
        AutoCloseable registered = agents.register(agent);

        assertThat(agents.find()).containsExactly(agent);
        assertThat(agent.toString()).doesNotContain(agent.token().reveal());
        Path folder = only(temporary);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(only(folder))))
                .isEqualTo("rw-------");

        registered.close();
        assertThat(agents.find()).isEmpty();
    }

    @Test
    void anAgentThatWasKilledIsNotFound() throws Exception {
        Process killed = new ProcessBuilder("true").start();
        killed.waitFor();
        LocalAgents agents = new LocalAgents(temporary);
        agents.register(new LocalAgent(killed.pid(), 8080, BearerToken.random(), "https://10.0.0.1:6443"));

        assertThat(agents.find()).isEmpty();
    }

    @Test
    void aFolderThatOthersCanAccessIsNotTrusted() throws Exception {
        LocalAgents agents = new LocalAgents(temporary);
        LocalAgent agent = new LocalAgent(PID, 8080, BearerToken.random(), "https://10.0.0.1:6443");
        agents.register(agent);
        Files.setPosixFilePermissions(only(temporary), PosixFilePermissions.fromString("rwxrwxrwx"));

        assertThat(agents.find()).isEmpty();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> agents.register(agent))
                .withMessageContaining("0700");
    }

    @Test
    void anEndpointAnswersOnlyRequestsWithAToken() throws Exception {
        Secret token = BearerToken.random();
        Endpoint guarded = BearerToken.required(
                List.of(SecretSource.of(Secret.of("other")), SecretSource.of(token)),
                request -> Endpoint.Response.text(200, "in\n"));

        assertThat(guarded.answer(showing(BearerToken.header(token))).status()).isEqualTo(200);
        assertThat(guarded.answer(showing("bearer other")).status()).isEqualTo(200);
        for (String wrong : List.of("", "Bearer ", "Bearer wrong", "Basic other", token.reveal())) {
            Endpoint.Response refused = guarded.answer(showing(wrong));
            assertThat(refused.status()).as(wrong).isEqualTo(401);
            assertThat(refused.headers().get("WWW-Authenticate")).startsWith("Bearer");
        }
    }

    private static Path only(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findFirst().orElseThrow();
        }
    }

    private static Endpoint.Request showing(String authorization) {
        return new Endpoint.Request() {
            @Override
            public String method() {
                return "GET";
            }

            @Override
            public String header(String name) {
                return name.equals("Authorization") ? authorization : "";
            }

            @Override
            public Map<String, String> query() {
                return Map.of();
            }

            @Override
            public long length() {
                return 0;
            }

            @Override
            public byte[] body() {
                return new byte[0];
            }
        };
    }
}
