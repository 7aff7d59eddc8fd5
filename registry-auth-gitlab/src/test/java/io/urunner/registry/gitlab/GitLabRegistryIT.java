package io.urunner.registry.gitlab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.urunner.registry.DeniedException;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.TokenServer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** GitLab's flow on a real registry in token mode, with tokens that are really signed and really verified. */
class GitLabRegistryIT {
    private final TokenServer tokens = new TokenServer();
    private DockerRegistry registry;
    private String digest;
    private Instant now = Instant.now();
    private final InstantSource clock = () -> now;

    @BeforeEach
    void start() {
        registry = DockerRegistry.builder().tokens(tokens).start();
        digest = registry.push("group/project/app", "latest", "one");
        registry.push("group/other/app", "latest", "two");
    }

    @AfterEach
    void stop() {
        if (registry != null) {
            registry.close();
        }
        tokens.close();
    }

    @Test
    void resolvesWithAnAccessTokenWithoutAUser() throws Exception {
        tokens.accessToken("glpat-4711", "group/project/app");
        try (RegistryClient client = client(Optional.empty(), "glpat-4711", Optional.empty())) {
            assertThat(resolve(client, "group/project/app")).isEqualTo(digest);
            assertThat(tokens.requests()).hasSize(1);
            assertThat(tokens.requests().get(0).getRequestLine())
                    .startsWith("GET /jwt/auth?")
                    .doesNotContain("glpat-4711");
        }
    }

    @Test
    void resolvesWithADeployTokenOnlyWithItsUser() throws Exception {
        tokens.deployToken("gitlab+deploy-token-7", "gldt-4711", "group/project/app");
        try (RegistryClient client = client(Optional.of("gitlab+deploy-token-7"), "gldt-4711", Optional.empty())) {
            assertThat(resolve(client, "group/project/app")).isEqualTo(digest);
        }
        try (RegistryClient client = client(Optional.of("somebody"), "gldt-4711", Optional.empty())) {
            assertThat(failure(client, "group/project/app")).isInstanceOf(UnauthorizedException.class);
        }
    }

    @Test
    void usesTheConfiguredAuthUrl() throws Exception {
        tokens.accessToken("glpat-4711", "group/project/app");
        try (RegistryClient client =
                client(Optional.empty(), "glpat-4711", Optional.of(tokens.url().toString()))) {
            assertThat(resolve(client, "group/project/app")).isEqualTo(digest);
        }
    }

    @Test
    void sendsOneHeadPerPassAndRenewsTheTokenBeforeItExpires() throws Exception {
        tokens.accessToken("glpat-4711", "group/project/app");
        tokens.tokenLife(Duration.ofMinutes(5));
        try (RegistryClient client = client(Optional.empty(), "glpat-4711", Optional.empty())) {
            resolve(client, "group/project/app");
            long before = registry.count("HEAD", "/v2/group/project/app/manifests/");
            for (int pass = 0; pass < 10; pass++) {
                resolve(client, "group/project/app");
            }
            assertThat(registry.count("HEAD", "/v2/group/project/app/manifests/") - before)
                    .isEqualTo(10);
            int asked = tokens.requests().size();
            now = now.plus(Duration.ofMinutes(5)).minusSeconds(3);
            resolve(client, "group/project/app");
            assertThat(tokens.requests()).hasSize(asked + 1);
            assertThat(registry.settledAccesses().stream()
                            .filter(access -> access.method().equals("HEAD") && access.status() == 401))
                    .as("only the first request is challenged")
                    .hasSizeLessThanOrEqualTo(1);
        }
    }

    @Test
    void aWrongTokenIsPermanentAndNotSentAgain() {
        try (RegistryClient client = client(Optional.empty(), "glpat-wrong", Optional.empty())) {
            RegistryException first = failure(client, "group/project/app");
            assertThat(first).isInstanceOf(UnauthorizedException.class);
            assertThat(first.isTransient()).isFalse();
            assertThat(first)
                    .hasMessageContainingAll(registry.host(), "group/project/app", "GitLab token")
                    .hasMessageNotContaining("glpat-wrong");
            int asked = tokens.requests().size();

            failure(client, "group/project/app");
            failure(client, "group/other/app");
            assertThat(tokens.requests())
                    .as("GitLab bans addresses that keep trying")
                    .hasSize(asked);
        }
    }

    @Test
    void aTokenWithoutRegistryAccessAndATokenWithoutPermissionsAreDenied() {
        tokens.tokenWithoutRegistry("code-only").accessToken("glpat-4711", "group/project/app");
        try (RegistryClient client = client(Optional.empty(), "code-only", Optional.empty())) {
            assertThat(failure(client, "group/project/app")).isInstanceOf(DeniedException.class);
        }
        try (RegistryClient client = client(Optional.empty(), "glpat-4711", Optional.empty())) {
            assertThat(failure(client, "group/other/app").isTransient()).isFalse();
        }
    }

    @Test
    void nothingIsSentDuringABan() throws Exception {
        tokens.accessToken("glpat-4711", "group/project/app");
        try (RegistryClient client = client(Optional.empty(), "glpat-4711", Optional.empty())) {
            tokens.ban(true);
            assertThat(failure(client, "group/project/app"))
                    .isInstanceOf(DeniedException.class)
                    .hasMessageContaining("banned");
            failure(client, "group/other/app");
            assertThat(tokens.requests()).hasSize(1);

            tokens.ban(false);
            now = now.plus(Duration.ofHours(1));
            assertThat(resolve(client, "group/project/app")).isEqualTo(digest);
        }
    }

    @Test
    void aDeniedRepositoryDoesNotPreventReadingOthers() throws Exception {
        tokens.accessToken("glpat-4711", "group/project/app");
        try (RegistryClient client = client(Optional.empty(), "glpat-4711", Optional.empty())) {
            failure(client, "group/other/app");
            assertThat(resolve(client, "group/project/app")).isEqualTo(digest);
        }
    }

    private RegistryClient client(Optional<String> user, String token, Optional<String> authUrl) {
        CredentialProvider provider = new GitLabPlugin()
                .create(
                        new GitLabSettings(user, SecretSource.of(Secret.of(token)), authUrl),
                        new PluginContext(registry.host(), clock));
        return RegistryClient.builder().credentials(provider).clock(clock).build();
    }

    private String resolve(RegistryClient client, String repository) throws RegistryException, InterruptedException {
        return client.resolve(ImageReference.parse(registry.host() + "/" + repository + ":latest"))
                .digest()
                .toString();
    }

    private RegistryException failure(RegistryClient client, String repository) {
        RegistryException failure = catchThrowableOfType(RegistryException.class, () -> resolve(client, repository));
        assertThat(failure).isNotNull();
        return failure;
    }
}
