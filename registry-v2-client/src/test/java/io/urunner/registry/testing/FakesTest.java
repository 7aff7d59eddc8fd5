package io.urunner.registry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import okhttp3.Credentials;
import okhttp3.FormBody;
import okhttp3.Headers;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The stand-ins answer like the real registries, traps included; tested with plain HTTP requests. */
class FakesTest {
    private static final String EVERYTHING = TestImage.OCI_MANIFEST + "," + TestImage.OCI_INDEX;
    private static final ObjectMapper JSON = new ObjectMapper();

    @AutoClose
    private final TestNetwork network = new TestNetwork();

    /** An answer. */
    private record Answer(int status, List<String> challenges, Headers headers, String body) {
        JsonNode json() throws IOException {
            return JSON.readTree(body);
        }

        String challenge() {
            return challenges.isEmpty() ? "" : challenges.get(0);
        }
    }

    @Test
    void gitlabExchangesADeployTokenOnAnotherHost() throws IOException {
        FakeGitLab gitlab = new FakeGitLab(network, "registry.gitlab.com", "gitlab.com");
        gitlab.tokens().deployToken("gitlab+deploy-token-7", "secret", "grp/app");
        String digest = gitlab.push("grp/app", "latest", TestImage.image("one"));
        String manifest = "https://registry.gitlab.com/v2/grp/app/manifests/latest";
        String realm = "https://gitlab.com/jwt/auth?service=container_registry&scope=repository:grp/app:pull";

        assertThat(head(manifest, null).challenge())
                .isEqualTo("Bearer realm=\"https://gitlab.com/jwt/auth\",service=\"container_registry\","
                        + "scope=\"repository:grp/app:pull\"");
        Answer token = get(realm, Credentials.basic("gitlab+deploy-token-7", "secret"));
        assertThat(token.json().size()).as("nothing but the token").isEqualTo(1);
        Answer read = head(manifest, "Bearer " + token.json().path("token").asText());
        assertThat(read.status()).isEqualTo(200);
        assertThat(read.headers().get("Docker-Content-Digest")).isEqualTo(digest);

        assertThat(get(realm, Credentials.basic("somebody", "secret")).status()).isEqualTo(401);
        assertThat(get(realm, Credentials.basic("gitlab+deploy-token-7", "wrong"))
                        .json()
                        .at("/errors/0/code")
                        .asText())
                .isEqualTo("UNAUTHORIZED");
        assertThat(get(realm, null).json().at("/errors/0/code").asText()).isEqualTo("DENIED");
        assertThat(post(realm).status()).isEqualTo(404);
        assertThat(get("https://gitlab.com/jwt/auth?service=other", null).status())
                .isEqualTo(404);
        network.advance(Duration.ofMinutes(5));
        assertThat(head(manifest, "Bearer " + token.json().path("token").asText())
                        .challenge())
                .contains("error=\"invalid_token\"");
        gitlab.tokens().ban(true);
        Answer banned = get(realm, Credentials.basic("gitlab+deploy-token-7", "secret"));
        assertThat(banned.status()).isEqualTo(403);
        assertThat(banned.body()).isEmpty();
    }

    @Test
    void gitlabRefusesATokenWithoutRegistryAccessAndIssuesAUselessOneWithoutPermissions() throws IOException {
        FakeGitLab gitlab = new FakeGitLab(network, "registry.gitlab.com", "gitlab.com");
        gitlab.tokens().tokenWithoutRegistry("code-only").accessToken("pat", "grp/other");
        gitlab.push("grp/app", "latest", TestImage.image("one"));
        String realm = "https://gitlab.com/jwt/auth?service=container_registry&scope=repository:grp/app:pull";

        assertThat(get(realm, Credentials.basic("any", "code-only")).status()).isEqualTo(403);
        Answer token = get(realm, Credentials.basic("any", "pat"));
        assertThat(token.status()).isEqualTo(200);
        assertThat(head(
                                "https://registry.gitlab.com/v2/grp/app/manifests/latest",
                                "Bearer " + token.json().path("token").asText())
                        .challenge())
                .contains("error=\"insufficient_scope\"");
    }

    @Test
    void harborHidesWrongCredentialsAtItsTokenEndpointButRejectsThemAtTheRegistry() throws IOException {
        FakeHarbor harbor = new FakeHarbor(network, "harbor.example", "proj");
        harbor.account("robot$proj+ci", "secret", "proj/app");
        harbor.push("proj/app", "latest", TestImage.image("one"));
        String manifest = "https://harbor.example/v2/proj/app/manifests/latest";
        String realm = "https://harbor.example/service/token?service=harbor-registry&scope=repository:proj/app:pull";

        assertThat(head(manifest, null).challenge()).startsWith("Bearer realm=\"https://harbor.example/service/token");
        Answer token = get(realm, Credentials.basic("robot$proj+ci", "secret"));
        assertThat(token.json().path("access_token").asText("?")).isEmpty();
        assertThat(token.json().path("expires_in").asInt()).isEqualTo(1800);
        assertThat(head(manifest, "Bearer " + token.json().path("token").asText())
                        .status())
                .isEqualTo(200);

        Answer nobody = get(realm, Credentials.basic("robot$proj+ci", "wrong"));
        assertThat(nobody.status()).isEqualTo(200);
        assertThat(head(manifest, "Bearer " + nobody.json().path("token").asText())
                        .challenge())
                .isEqualTo("Basic realm=\"harbor\"");
        assertThat(get(
                                "https://harbor.example/service/token?service=harbor-registry",
                                Credentials.basic("robot$proj+ci", "wrong"))
                        .status())
                .isEqualTo(401);
        assertThat(head(manifest, Credentials.basic("robot$proj+ci", "secret")).status())
                .isEqualTo(200);
        assertThat(head(manifest, Credentials.basic("robot$proj+ci", "wrong")).challenge())
                .isEqualTo("Basic realm=\"harbor\"");
        assertThat(head(
                                "https://harbor.example/v2/unknown/app/manifests/latest",
                                Credentials.basic("robot$proj+ci", "secret"))
                        .challenges())
                .containsExactly("");
        harbor.nameRealmWithoutTls();
        assertThat(head(manifest, null).challenge()).startsWith("Bearer realm=\"http://harbor.example/");
    }

    @Test
    void digitaloceanIssuesTokensByGetForScopesWithARegistry() throws IOException {
        FakeDigitalOcean registry = new FakeDigitalOcean(network);
        registry.apiToken("tok", "reg/app");
        registry.push("reg/app", "latest", TestImage.image("one"));
        String realm = "https://api.digitalocean.com/v2/registry/auth?service=registry.digitalocean.com&scope=";

        Answer token = get(realm + "repository:reg/app:pull", Credentials.basic("tok", "tok"));
        assertThat(token.headers().get("ratelimit-remaining")).isNotNull();
        assertThat(head(
                                "https://registry.digitalocean.com/v2/reg/app/manifests/latest",
                                "Bearer " + token.json().path("token").asText())
                        .status())
                .isEqualTo(200);
        assertThat(post(realm + "repository:reg/app:pull").status()).isEqualTo(405);
        assertThat(get(realm + "repository:app:pull", Credentials.basic("tok", "tok"))
                        .status())
                .isEqualTo(400);
        assertThat(get(realm + "repository:reg/app:pull", Credentials.basic("tok", "other"))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void ecrRequiresBasicAndRecognisesItsAccountByTheHost() throws IOException {
        FakeEcr ecr = new FakeEcr(network, "111111111111.dkr.ecr.eu-west-1.amazonaws.com");
        ecr.alsoServe("222222222222.dkr.ecr.eu-west-1.amazonaws.com");
        ecr.push("app", "latest", TestImage.image("one"));

        Answer refused = get("https://111111111111.dkr.ecr.eu-west-1.amazonaws.com/v2/app/manifests/latest", null);
        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.body()).isEqualTo("Not Authorized");
        assertThat(refused.challenge())
                .isEqualTo("Basic realm=\"https://111111111111.dkr.ecr.eu-west-1.amazonaws.com/\","
                        + "service=\"ecr.amazonaws.com\"");
        Answer old = get(
                "https://222222222222.dkr.ecr.eu-west-1.amazonaws.com/v2/app/manifests/latest",
                Credentials.basic("AWS", "old"));
        assertThat(old.status()).isEqualTo(403);
        assertThat(old.json().at("/errors/0/code").asText()).isEqualTo("DENIED");
    }

    @Test
    void ecrPublicAnswersAnOldTokenWith400AndNoChallenge() throws IOException {
        FakeEcrPublic registry = new FakeEcrPublic(network);
        registry.publicRepository("team/app");
        registry.push("team/app", "latest", TestImage.image("one"));
        String manifest = "https://public.ecr.aws/v2/team/app/manifests/latest";

        assertThat(head(manifest, null).challenge()).contains("scope=\"aws\"");
        Answer token = get("https://public.ecr.aws/token/?service=public.ecr.aws&scope=aws", null);
        String bearer = "Bearer " + token.json().path("token").asText();
        assertThat(head(manifest, bearer).status()).isEqualTo(200);
        network.advance(Duration.ofHours(12));
        Answer old = head(manifest, bearer);
        assertThat(old.status()).isEqualTo(400);
        assertThat(old.challenges()).isEmpty();
        assertThat(head(manifest, Credentials.basic("AWS", "old")).status()).isEqualTo(403);
    }

    @Test
    void dockerHubCountsGetButNotHead() throws IOException {
        FakeDockerHub hub = new FakeDockerHub(network);
        hub.publicRepository("library/nginx");
        hub.push("library/nginx", "latest", TestImage.image("one"));
        hub.remaining(1);
        Answer token = get(
                "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/nginx:pull", null);
        assertThat(token.json().path("expires_in").asInt()).isEqualTo(300);
        String bearer = "Bearer " + token.json().path("access_token").asText();
        String manifest = "https://registry-1.docker.io/v2/library/nginx/manifests/latest";

        assertThat(head(manifest, bearer).headers().get("ratelimit-remaining")).isEqualTo("1;w=21600");
        assertThat(get(manifest, bearer).status()).isEqualTo(200);
        assertThat(get(manifest, bearer).status()).isEqualTo(429);
        assertThat(head(manifest, bearer).status()).isEqualTo(200);
    }

    @Test
    void ghcrRefusesAnonymousTokensForPrivatePackagesAndRequiresIndexTypes() throws IOException {
        FakeGhcr ghcr = new FakeGhcr(network);
        ghcr.account("any", "pat", "o/private");
        ghcr.publicRepository("o/public");
        ghcr.push("o/public", "latest", TestImage.index("one", "amd64"));
        String realm = "https://ghcr.io/token?service=ghcr.io&scope=repository:o/";
        String manifest = "https://ghcr.io/v2/o/public/manifests/latest";

        assertThat(get(realm + "private:pull", null).status()).isEqualTo(401);
        assertThat(get(realm + "private:pull", Credentials.basic("any", "pat")).status())
                .isEqualTo(200);
        String bearer = "Bearer "
                + get(realm + "public:pull", null).json().path("token").asText();
        assertThat(head(manifest, bearer).status()).isEqualTo(200);
        assertThat(head(manifest, "Bearer pat").status()).isEqualTo(403);
        assertThat(head(manifest, Credentials.basic("any", "pat")).status()).isEqualTo(403);
        Answer withoutIndex = send(new Request.Builder()
                .url(manifest)
                .header("Accept", TestImage.OCI_MANIFEST)
                .header("Authorization", bearer)
                .build());
        assertThat(withoutIndex.status()).isEqualTo(404);
        assertThat(withoutIndex.json().at("/errors/0/code").asText()).isEqualTo("MANIFEST_UNKNOWN");
    }

    @Test
    void acrExchangesAnEntraTokenForARefreshTokenForAnAccessToken() throws IOException {
        FakeAcr acr = new FakeAcr(network, "team.azurecr.io");
        acr.entraToken("entra", "app");
        acr.push("app", "latest", TestImage.image("one"));
        Answer refresh = send(new Request.Builder()
                .url("https://team.azurecr.io/oauth2/exchange")
                .post(new FormBody.Builder()
                        .add("grant_type", "access_token")
                        .add("service", "team.azurecr.io")
                        .add("access_token", "entra")
                        .build())
                .build());
        Answer access = send(new Request.Builder()
                .url("https://team.azurecr.io/oauth2/token")
                .post(new FormBody.Builder()
                        .add("grant_type", "refresh_token")
                        .add("service", "team.azurecr.io")
                        .add("scope", "repository:app:pull")
                        .add(
                                "refresh_token",
                                refresh.json().path("refresh_token").asText())
                        .build())
                .build());

        assertThat(access.json().size()).isEqualTo(1);
        assertThat(head(
                                "https://team.azurecr.io/v2/app/manifests/latest",
                                "Bearer " + access.json().path("access_token").asText())
                        .status())
                .isEqualTo(200);
    }

    @Test
    void googleNamesNeitherServiceNorScopeAndDeniesWith403() throws IOException {
        FakeGoogle google = new FakeGoogle(network, "europe-docker.pkg.dev");
        google.account("oauth2accesstoken", "ya29", "p/r/i");
        google.push("p/r/i", "t", TestImage.image("one"));
        String manifest = "https://europe-docker.pkg.dev/v2/p/r/i/manifests/t";

        assertThat(head(manifest, null).challenge())
                .isEqualTo("Bearer realm=\"https://europe-docker.pkg.dev/v2/token\"");
        String realm = "https://europe-docker.pkg.dev/v2/token?scope=repository:p/r/";
        String basic = Credentials.basic("oauth2accesstoken", "ya29");
        assertThat(head(
                                manifest,
                                "Bearer "
                                        + get(realm + "i:pull", basic)
                                                .json()
                                                .path("token")
                                                .asText())
                        .status())
                .isEqualTo(200);
        assertThat(head(
                                manifest,
                                "Bearer "
                                        + get(realm + "other:pull", basic)
                                                .json()
                                                .path("token")
                                                .asText())
                        .status())
                .isEqualTo(403);
    }

    @Test
    void quayConvertsManifestsThatAreNotAccepted() throws IOException {
        FakeQuay quay = new FakeQuay(network, "quay.io");
        quay.account("ns+bot", "secret", "ns/app");
        String pushed = quay.push("ns/app", "latest", TestImage.index("one", "amd64"));
        String realm = "https://quay.io/v2/auth?service=quay.io&scope=repository:ns/app:";
        String basic = Credentials.basic("ns+bot", "secret");
        String manifest = "https://quay.io/v2/ns/app/manifests/latest";

        assertThat(get(realm + "delete", basic).status()).isEqualTo(400);
        assertThat(get(realm + "pull", Credentials.basic("ns+bot", "wrong")).status())
                .isEqualTo(401);
        assertThat(head(manifest, basic).status()).as("Basic at the registry").isEqualTo(401);
        String bearer =
                "Bearer " + get(realm + "pull", basic).json().path("token").asText();
        assertThat(head(manifest, bearer).headers().get("Docker-Content-Digest"))
                .isEqualTo(pushed);
        Answer converted = send(new Request.Builder()
                .url(manifest)
                .head()
                .header("Accept", "application/vnd.docker.distribution.manifest.v2+json")
                .header("Authorization", bearer)
                .build());
        assertThat(converted.status()).isEqualTo(200);
        assertThat(converted.headers().get("Docker-Content-Digest")).isNotEqualTo(pushed);
    }

    @Test
    void giteaChallengesInTwoLinesAndIgnoresTheAcceptHeader() throws IOException {
        FakeGitea gitea = new FakeGitea(network, "git.example");
        gitea.account("me", "secret", "o/a");
        gitea.push("o/a", "t", TestImage.index("one", "amd64"));
        String manifest = "https://git.example/v2/o/a/manifests/t";

        assertThat(head(manifest, null).challenges())
                .containsExactly(
                        "Bearer realm=\"https://git.example/v2/token\",service=\"container_registry\",scope=\"*\"",
                        "Basic realm=\"Gitea Container Registry\"");
        String token = get("https://git.example/v2/token", Credentials.basic("me", "secret"))
                .json()
                .path("token")
                .asText();
        Answer read = send(new Request.Builder()
                .url(manifest)
                .header("Accept", "text/plain")
                .header("Authorization", "Bearer " + token)
                .build());
        assertThat(read.status()).isEqualTo(200);
    }

    @Test
    void aKnownDigestIsAnsweredWith304() throws IOException {
        FakeGitea gitea = new FakeGitea(network, "git.example");
        gitea.account("me", "secret", "o/a");
        String digest = gitea.push("o/a", "t", TestImage.image("one"));
        String token = get("https://git.example/v2/token", Credentials.basic("me", "secret"))
                .json()
                .path("token")
                .asText();

        Answer same = send(new Request.Builder()
                .url("https://git.example/v2/o/a/manifests/t")
                .header("If-None-Match", "\"" + digest + "\"")
                .header("Authorization", "Bearer " + token)
                .build());
        assertThat(same.status()).isEqualTo(304);
    }

    private Answer get(String url, @Nullable String authorization) throws IOException {
        return ask(new Request.Builder().url(url), authorization);
    }

    private Answer head(String url, @Nullable String authorization) throws IOException {
        return ask(new Request.Builder().url(url).head(), authorization);
    }

    private Answer post(String url) throws IOException {
        return send(new Request.Builder()
                .url(url)
                .post(RequestBody.create(new byte[0]))
                .build());
    }

    private Answer ask(Request.Builder request, @Nullable String authorization) throws IOException {
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return send(request.header("Accept", EVERYTHING).build());
    }

    private Answer send(Request request) throws IOException {
        OkHttpClient client = network.client();
        try (Response response = client.newCall(request).execute()) {
            return new Answer(
                    response.code(),
                    response.headers("WWW-Authenticate"),
                    response.headers(),
                    response.body().string());
        }
    }
}
