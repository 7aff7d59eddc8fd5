package io.urunner.registry.testing;

import java.time.Duration;
import java.util.Set;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * GitLab: a registry on one host and {@code /jwt/auth} on another, which behaves like {@link TokenServer}. It may ban
 * addresses: 403 without a body.
 */
public final class FakeGitLab extends FakeRegistry {
    private final TokenServer tokens;
    private final String gitlab;

    /**
     * Creates a GitLab.
     *
     * @param network the network
     * @param registry the registry's name
     * @param gitlab the name of GitLab itself
     */
    public FakeGitLab(TestNetwork network, String registry, String gitlab) {
        super(network, registry);
        this.gitlab = gitlab;
        tokens = new TokenServer(network.clock());
        tokens.tokenLife(Duration.ofMinutes(5));
        network.serve(gitlab, tokens::answer);
    }

    /**
     * Returns the token server.
     *
     * @return the server to which tokens are added
     */
    public TokenServer tokens() {
        return tokens;
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        String token = bearer(request);
        if (token == null) {
            return challenge(repository, "");
        }
        if (!tokens.isAlive(token)) {
            return challenge(repository, ",error=\"invalid_token\"");
        }
        boolean allowed = repository == null || tokens.mayPull(token, repository);
        return allowed ? null : challenge(repository, ",error=\"insufficient_scope\"");
    }

    private MockResponse challenge(@Nullable String repository, String error) {
        String scope = repository == null ? "" : ",scope=\"repository:" + repository + ":pull\"";
        return error(401, "UNAUTHORIZED", "authentication required")
                .setHeader(
                        "WWW-Authenticate",
                        "Bearer realm=\"https://" + gitlab + "/jwt/auth\",service=\"" + TokenServer.SERVICE + "\""
                                + scope + error);
    }

    @Override
    public int issuerRequests() {
        return tokens.requests().size();
    }

    @Override
    public void expireCredentials() {
        tokens.forgetTokens();
    }

    @Override
    public void issuer(IssuerState state) {
        tokens.failWith(state == IssuerState.FAILING ? 503 : 0);
        tokens.refuseAll(state == IssuerState.REFUSING);
    }

    @Override
    public Set<String> secretsGiven() {
        return tokens.given();
    }
}
