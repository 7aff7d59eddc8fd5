package io.urunner.registry.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;

class DockerRegistryIT {
    private final OkHttpClient http = new OkHttpClient();

    @Test
    void servesPushedImagesAndCountsRequests() throws IOException {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String digest = registry.push("team/app", "latest", "one");
            String index = registry.pushIndex("team/app", "multi", "two", "amd64", "arm64");

            assertThat(head(http, registry, "team/app/manifests/latest", TestImage.OCI_MANIFEST))
                    .isEqualTo(digest);
            assertThat(head(http, registry, "team/app/manifests/multi", TestImage.OCI_INDEX))
                    .isEqualTo(index);
            assertThat(registry.count("HEAD", "/v2/team/app/manifests/")).isEqualTo(2);
        }
    }

    @Test
    void comesBackOnTheSamePortWithItsContent() throws IOException {
        try (DockerRegistry registry = DockerRegistry.start()) {
            String digest = registry.push("team/app", "latest", "one");
            String before = registry.host();
            registry.stop();
            registry.restart();
            registry.kill();
            registry.restart();

            assertThat(registry.host()).isEqualTo(before);
            assertThat(head(http, registry, "team/app/manifests/latest", TestImage.OCI_MANIFEST))
                    .isEqualTo(digest);
        }
    }

    @Test
    void speaksTlsWithAPrivateAuthorityAndHttp2() throws IOException {
        HeldCertificate authority = DockerRegistry.newAuthority();
        try (DockerRegistry registry = DockerRegistry.builder().tls(authority).start()) {
            String digest = registry.push("app", "1", "one");
            HandshakeCertificates trust = registry.trust().orElseThrow();
            OkHttpClient trusting = http.newBuilder()
                    .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                    .build();

            try (Response response = trusting.newCall(new Request.Builder()
                            .url(registry.url() + "/v2/app/manifests/1")
                            .header("Accept", TestImage.OCI_MANIFEST)
                            .build())
                    .execute()) {
                assertThat(response.protocol().toString()).isEqualTo("h2");
                assertThat(response.header("Docker-Content-Digest")).isEqualTo(digest);
            }
        }
    }

    @Test
    void asksForBasicCredentialsOfItsHtpasswdFile() throws IOException {
        try (DockerRegistry registry =
                DockerRegistry.builder().user("ci", "pass word").start()) {
            registry.push("app", "1", "one");

            try (Response response = http.newCall(
                            new Request.Builder().url(registry.url() + "/v2/").build())
                    .execute()) {
                assertThat(response.code()).isEqualTo(401);
                assertThat(response.header("WWW-Authenticate")).startsWith("Basic realm=");
            }
        }
    }

    @Test
    void asksForTokensAndAcceptsThoseOfTheTokenServer() throws IOException {
        try (TokenServer tokens = new TokenServer();
                DockerRegistry registry =
                        DockerRegistry.builder().tokens(tokens).start()) {
            String digest = registry.push("grp/app", "1", "one");
            String url = registry.url() + "/v2/grp/app/manifests/1";

            try (Response response =
                    http.newCall(new Request.Builder().url(url).build()).execute()) {
                assertThat(response.code()).isEqualTo(401);
                assertThat(response.header("WWW-Authenticate"))
                        .contains("Bearer realm=\"" + tokens.realm() + "\"", "service=\"container_registry\"");
            }
            String token = tokens.mint("grp/app", List.of("pull"));
            try (Response response = http.newCall(new Request.Builder()
                            .url(url)
                            .header("Accept", TestImage.OCI_MANIFEST)
                            .header("Authorization", "Bearer " + token)
                            .build())
                    .execute()) {
                assertThat(response.header("Docker-Content-Digest")).isEqualTo(digest);
            }
        }
    }

    private static String head(OkHttpClient http, DockerRegistry registry, String path, String accept)
            throws IOException {
        Request request = new Request.Builder()
                .url(registry.url() + "/v2/" + path)
                .head()
                .header("Accept", accept)
                .build();
        try (Response response = http.newCall(request).execute()) {
            return String.valueOf(response.header("Docker-Content-Digest"));
        }
    }
}
