package io.urunner.registry.ecr;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.EcrClientBuilder;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * Asks the ECR API of one region for authorization tokens. The SDK's client is built with the first question and closed
 * with the issuer.
 */
final class TokenIssuer implements ExpiringCredential.Issuer, AutoCloseable {
    private final EcrSettings settings;
    private final Endpoint endpoint;
    private @Nullable EcrClient client;
    private @Nullable DefaultCredentialsProvider chain;
    private boolean closed;

    /** Which of the ECR APIs to ask. */
    record Endpoint(String region, boolean fips, boolean dualStack) {}

    TokenIssuer(EcrSettings settings, Endpoint endpoint) {
        this.settings = settings;
        this.endpoint = endpoint;
    }

    @Override
    public ExpiringCredential.Issued issue() throws CredentialException {
        AwsCredentialsProvider identity = identity();
        List<AuthorizationData> answer;
        try {
            answer = client().getAuthorizationToken(request ->
                            request.overrideConfiguration(override -> override.credentialsProvider(identity)))
                    .authorizationData();
        } catch (AwsServiceException e) {
            boolean passing = e.statusCode() >= 500 || e.statusCode() == 429 || e.isThrottlingException();
            throw failure(
                    reason(e) + (passing ? "" : "; is ecr:GetAuthorizationToken allowed, and the key valid?"),
                    passing,
                    e);
        } catch (SdkException e) {
            // No answer, or nothing in the default chain: neither is a refusal.
            throw failure(String.valueOf(e.getMessage()), true, e);
        }
        if (answer.isEmpty()) {
            throw failure("the answer holds no token", true, null);
        }
        AuthorizationData data = answer.get(0);
        return new ExpiringCredential.Issued(basic(data.authorizationToken()), data.expiresAt());
    }

    @Override
    public synchronized void close() {
        closed = true;
        close(client);
        close(chain);
    }

    private Credential basic(String authorizationToken) throws CredentialException {
        try {
            String pair = new String(Base64.getDecoder().decode(authorizationToken), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            return new Credential.Basic(pair.substring(0, colon), Secret.of(pair.substring(colon + 1)));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            // The exception may show a piece of the token, so it is left out.
            throw failure("the answer's token is not the Base64 of a user and a password", true, null);
        }
    }

    private AwsCredentialsProvider identity() throws CredentialException {
        if (settings.accessKeyId().isEmpty() || settings.secretAccessKey().isEmpty()) {
            return chain();
        }
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(
                settings.accessKeyId().get().read().reveal(),
                settings.secretAccessKey().get().read().reveal()));
    }

    private synchronized AwsCredentialsProvider chain() {
        checkOpen();
        DefaultCredentialsProvider ready = chain;
        if (ready == null) {
            ready = DefaultCredentialsProvider.builder().build();
            chain = ready;
        }
        return ready;
    }

    private synchronized EcrClient client() {
        checkOpen();
        EcrClient ready = client;
        if (ready == null) {
            EcrClientBuilder builder = EcrClient.builder()
                    .region(Region.of(endpoint.region()))
                    .fipsEnabled(endpoint.fips())
                    .dualstackEnabled(endpoint.dualStack())
                    .httpClientBuilder(UrlConnectionHttpClient.builder()
                            .connectionTimeout(Duration.ofSeconds(5))
                            .socketTimeout(Duration.ofSeconds(10)))
                    // Who asks decides when to ask again.
                    .overrideConfiguration(override -> override.retryStrategy(AwsRetryStrategy.doNotRetry())
                            .apiCallTimeout(Duration.ofSeconds(20)));
            settings.endpoint().ifPresent(builder::endpointOverride);
            ready = builder.build();
            client = ready;
        }
        return ready;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the credentials of Amazon ECR are closed");
        }
    }

    private CredentialException failure(String reason, boolean isTransient, @Nullable Throwable cause) {
        return new CredentialException(
                "cannot get an authorization token of Amazon ECR in " + endpoint.region() + ": " + reason,
                isTransient,
                cause);
    }

    private static String reason(AwsServiceException e) {
        var details = e.awsErrorDetails();
        return "HTTP " + e.statusCode()
                + (details == null ? "" : " " + details.errorCode() + " " + details.errorMessage());
    }

    private static void close(@Nullable SdkAutoCloseable closeable) {
        if (closeable != null) {
            closeable.close();
        }
    }
}
