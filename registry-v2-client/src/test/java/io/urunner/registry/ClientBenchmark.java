package io.urunner.registry;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.testing.TestImage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the client itself costs: its parsers, and a resolve in the steady state, with a token and without a network. See
 * docs/benchmarks.md for how to run it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ClientBenchmark {
    private static final String REFERENCE =
            "registry.example:5000/team/sub/app:v1.2.3@sha256:" + "0123456789abcdef".repeat(4);
    private static final List<String> CHALLENGE =
            List.of("Bearer realm=\"https://auth.example/token\",service=\"registry.example\","
                    + "scope=\"repository:team/app:pull,push\",error=\"insufficient_scope\"");
    private static final List<String> LINK = List.of("</v2/team/app/tags/list?last=v1&n=1000>; rel=\"next\"");

    private byte[] index;
    private ImageReference image;
    private RegistryClient client;

    /** Composes an index, and creates a client that is answered without a network. */
    @Setup
    public void open() {
        index = TestImage.index("one", "amd64", "arm64", "arm", "s390x").manifest();
        image = ImageReference.parse("registry.example/team/app:latest");
        client = RegistryClient.builder()
                .credentials(new CredentialProvider() {
                    @Override
                    public List<Credential> credentials(String registry, String repository) {
                        return List.of(new Credential.Basic("ci", Secret.of("secret")));
                    }

                    @Override
                    public String describe(String registry, String repository) {
                        return "ci";
                    }
                })
                .httpClient(new OkHttpClient.Builder()
                        .addInterceptor(ClientBenchmark::answer)
                        .build())
                .build();
    }

    /** Closes the client. */
    @TearDown
    public void close() {
        client.close();
    }

    private static Response answer(Interceptor.Chain chain) {
        Response.Builder answer = new Response.Builder()
                .request(chain.request())
                .protocol(Protocol.HTTP_1_1)
                .message("");
        if (chain.request().url().host().equals("auth.example")) {
            return answer.code(200)
                    .body(ResponseBody.create("{\"token\":\"t\",\"expires_in\":3600}", null))
                    .build();
        }
        answer.body(ResponseBody.create("", null));
        if (chain.request().header("Authorization") == null) {
            return answer.code(401).header("WWW-Authenticate", CHALLENGE.get(0)).build();
        }
        return answer.code(200)
                .header("Docker-Content-Digest", "sha256:" + "a".repeat(64))
                .header("Content-Type", MediaType.OCI_INDEX)
                .header("Content-Length", "1234")
                .build();
    }

    @Benchmark
    public ImageReference parsesAReference() {
        return ImageReference.parse(REFERENCE);
    }

    @Benchmark
    public Object parsesAChallenge() {
        return Challenge.parse(CHALLENGE);
    }

    @Benchmark
    public Optional<String> parsesALink() throws Violation {
        return Listings.nextLink(LINK);
    }

    @Benchmark
    public ManifestOrIndex parsesAnIndex() {
        return ManifestOrIndex.parse(index, MediaType.OCI_INDEX);
    }

    @Benchmark
    public Descriptor resolves() throws Exception {
        return client.resolve(image);
    }
}
