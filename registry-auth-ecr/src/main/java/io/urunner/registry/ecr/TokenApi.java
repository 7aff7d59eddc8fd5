package io.urunner.registry.ecr;

import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/** An API that issues authorization tokens: that of private registries, or that of ECR Public. Thread-safe. */
interface TokenApi extends SdkAutoCloseable {
    /**
     * Requests a token once.
     *
     * @param identity whose credentials to use
     * @return the token, or empty if the answer contains none
     * @throws software.amazon.awssdk.core.exception.SdkException if there is no answer, or an error
     */
    Optional<AuthorizationData> ask(AwsCredentials identity);

    /** The HTTP client of both. */
    static UrlConnectionHttpClient.Builder http() {
        return UrlConnectionHttpClient.builder()
                .connectionTimeout(Duration.ofSeconds(5))
                .socketTimeout(Duration.ofSeconds(10));
    }
}
