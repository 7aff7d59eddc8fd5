package io.urunner.registry.ecr;

import io.urunner.registry.auth.PluginContext;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.EcrClientBuilder;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;

/** The API of the private registries of one region. */
final class PrivateApi implements TokenApi {
    private final EcrClient client;

    PrivateApi(TokenIssuer.Endpoint endpoint, Optional<URI> url, PluginContext context) {
        EcrClientBuilder builder = EcrClient.builder()
                .region(Region.of(endpoint.region()))
                .fipsEnabled(endpoint.fips())
                .dualstackEnabled(endpoint.dualStack())
                .httpClient(TokenApi.http(context))
                // The caller decides when to retry.
                .overrideConfiguration(override ->
                        override.retryStrategy(AwsRetryStrategy.doNotRetry()).apiCallTimeout(Duration.ofSeconds(20)));
        url.ifPresent(builder::endpointOverride);
        client = builder.build();
    }

    @Override
    public Optional<AuthorizationData> ask(AwsCredentials identity) {
        return client
                .getAuthorizationToken(request -> request.overrideConfiguration(
                        override -> override.credentialsProvider(StaticCredentialsProvider.create(identity))))
                .authorizationData()
                .stream()
                .findFirst();
    }

    @Override
    public void close() {
        client.close();
    }
}
