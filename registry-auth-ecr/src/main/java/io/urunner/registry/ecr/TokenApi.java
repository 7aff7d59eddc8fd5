package io.urunner.registry.ecr;

import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/** An API that gives authorization tokens: that of private registries, or that of ECR Public. Thread-safe. */
interface TokenApi extends SdkAutoCloseable {
    /**
     * Asks once.
     *
     * @param identity who asks
     * @return the token, or empty if the answer holds none
     * @throws software.amazon.awssdk.core.exception.SdkException if there is no answer, or another one
     */
    Optional<AuthorizationData> ask(AwsCredentials identity);

    /** How both are reached. */
    static UrlConnectionHttpClient.Builder http() {
        return UrlConnectionHttpClient.builder()
                .connectionTimeout(Duration.ofSeconds(5))
                .socketTimeout(Duration.ofSeconds(10));
    }
}
