package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Registries from before the referrers API: what is under the referrers tag may be anything. */
class OldRegistriesTest {
    private static final Digest SUBJECT = Digest.parse("sha256:" + "a".repeat(64));

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            404 | application/json                           | {"errors":[]}
            200 | application/vnd.oci.image.manifest.v1+json | {"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:aa","size":1},"layers":[]}
            200 | application/vnd.oci.image.index.v1+json    | {"schemaVersion":2,"manifests":[]}
            200 | text/html                                  | <html>Sign in</html>
            200 | application/json                           | ^^
            """)
    void aTagThatIsNoIndexMeansNoReferrers(int status, String type, String body) throws Exception {
        try (FakeServer registry = new FakeServer(
                        request -> String.valueOf(request.getPath()).contains("/referrers/")
                                ? FakeServer.status(404)
                                : new MockResponse()
                                        .setResponseCode(status)
                                        .setHeader("Content-Type", type)
                                        .setBody(body));
                RegistryClient client = RegistryClient.builder().attempts(1).build()) {
            Repository repository = Repository.parse(registry.host() + "/shop/web");
            assertThat(client.referrers(repository, SUBJECT, Optional.empty()).all())
                    .isEmpty();
            assertThat(registry.lines())
                    .containsExactly(
                            "GET /v2/shop/web/referrers/" + SUBJECT,
                            "GET /v2/shop/web/manifests/sha256-" + "a".repeat(64));
        }
    }
}
