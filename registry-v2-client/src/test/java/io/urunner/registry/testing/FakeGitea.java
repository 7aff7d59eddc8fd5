package io.urunner.registry.testing;

import java.util.Set;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Gitea and Forgejo: two challenges in two header lines, {@code scope="*"}, tokens that are not bound to a repository,
 * and manifests as stored, regardless of {@code Accept}.
 */
public final class FakeGitea extends FakeTokenRegistry {
    /**
     * Creates a Gitea.
     *
     * @param network the network
     * @param host its name
     */
    public FakeGitea(TestNetwork network, String host) {
        super(network, host, host, "/v2/token", "container_registry");
    }

    @Override
    protected MockResponse challenge(@Nullable String repository, String error) {
        return unauthorized()
                .addHeader(
                        "WWW-Authenticate",
                        "Bearer realm=\"" + realm() + "\",service=\"container_registry\",scope=\"*\"")
                .addHeader("WWW-Authenticate", "Basic realm=\"Gitea Container Registry\"");
    }

    @Override
    protected @Nullable MockResponse invalid(Question question) {
        return null;
    }

    @Override
    protected Set<String> grantable(Set<String> granted, Set<String> readable) {
        return readable;
    }

    @Override
    protected boolean accepts(RecordedRequest request, TestImage image) {
        return true;
    }
}
