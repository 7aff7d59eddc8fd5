package io.urunner.registry.testing;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Harbor, with its traps: an empty {@code access_token} next to the token; a token for nobody, with 200, for wrong
 * credentials with a scope; {@code Basic realm="harbor"} instead of a bearer challenge as soon as a request has any
 * authorization; an empty challenge for an unknown project; a realm whose scheme may be wrong. The registry itself
 * accepts Basic credentials.
 */
public final class FakeHarbor extends FakeTokenRegistry {
    private final Set<String> projects;
    private volatile String scheme = "https";

    /**
     * Creates a Harbor.
     *
     * @param network the network
     * @param host its name
     * @param projects its projects
     */
    public FakeHarbor(TestNetwork network, String host, String... projects) {
        super(network, host, host, "/service/token", "harbor-registry");
        this.projects = Set.of(projects);
    }

    /** Names a realm without TLS, as a Harbor behind a TLS terminator with the wrong external URL does. */
    public void nameRealmWithoutTls() {
        scheme = "http";
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        if (request.getHeader("Authorization") == null) {
            return challenge(repository, "");
        }
        if (issuerState() == IssuerState.FAILING) {
            return new MockResponse().setResponseCode(503);
        }
        if (repository != null && !projects.contains(repository.substring(0, Math.max(0, repository.indexOf('/'))))) {
            return unauthorized().setHeader("WWW-Authenticate", "");
        }
        return mayRead(request, repository)
                ? null
                : unauthorized().setHeader("WWW-Authenticate", "Basic realm=\"harbor\"");
    }

    private boolean mayRead(RecordedRequest request, @Nullable String repository) {
        String token = bearer(request);
        if (token != null) {
            return isAlive(token) && (repository == null || mayRead(token, repository));
        }
        Set<String> readable = basic(request) == null ? null : repositoriesOf(request, question());
        return issuerState() == IssuerState.WORKING
                && readable != null
                && (repository == null || readable.contains(repository) || isPublic(repository));
    }

    private static Question question() {
        return new Question(false, HttpUrl.get("https://site.invalid/"), List.of());
    }

    @Override
    protected String realm() {
        return scheme + "://" + host() + "/service/token";
    }

    @Override
    protected MockResponse wrongCredentials(Question question) {
        return question.scopes().isEmpty()
                ? new MockResponse().setResponseCode(401)
                : json(200, tokenAnswer(mint(Set.of())));
    }

    @Override
    protected Map<String, Object> tokenAnswer(String token) {
        return Map.of(
                "token",
                token,
                "access_token",
                "",
                "expires_in",
                life().toSeconds(),
                "issued_at",
                network.clock().instant().toString());
    }

    @Override
    protected Duration life() {
        return Duration.ofMinutes(30);
    }

    /** Other methods are ignored. */
    @Override
    protected int postStatus() {
        return 0;
    }
}
