package io.urunner.registry.testing;

import java.time.Duration;
import java.util.Set;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * Amazon ECR Public: the constant scope {@code aws}, anonymous tokens, 400 without a challenge for a bearer token that is
 * wrong or has expired, and 403 for Basic credentials that nobody knows, even for public images.
 */
public final class FakeEcrPublic extends FakeTokenRegistry {
    /** The registry's real name. */
    public static final String HOST = "public.ecr.aws";

    /**
     * ECR Public.
     *
     * @param network the network
     */
    public FakeEcrPublic(TestNetwork network) {
        super(network, HOST, HOST, "/token/", HOST);
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        return basic(request) != null
                ? error(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
                : super.refuse(request, repository);
    }

    @Override
    protected MockResponse challenge(@Nullable String repository, String error) {
        return unauthorized()
                .setHeader(
                        "WWW-Authenticate", "Bearer realm=\"" + realm() + "\",service=\"" + HOST + "\",scope=\"aws\"");
    }

    @Override
    protected MockResponse invalidToken(@Nullable String repository) {
        return new MockResponse().setResponseCode(400);
    }

    @Override
    protected MockResponse wrongCredentials(Question question) {
        return error(403, "DENIED", "denied");
    }

    @Override
    protected Set<String> grantable(Set<String> granted, Set<String> readable) {
        return readable;
    }

    @Override
    protected Duration life() {
        return Duration.ofHours(12);
    }
}
