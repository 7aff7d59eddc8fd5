package io.urunner.registry.ecr;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.ExpiringCredential;
import io.urunner.registry.auth.PluginContext;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * Requests authorization tokens from one of Amazon's APIs, with the access key of the settings or the SDK's default
 * chain. Its resources are created with the first request and closed with the issuer.
 *
 * <p>An identity that was refused is not used again within an hour; a different one is used at once.
 */
final class TokenIssuer implements ExpiringCredential.Issuer, AutoCloseable {
    private static final Duration PATIENCE = Duration.ofHours(1);

    private final EcrSettings settings;
    private final Endpoint endpoint;
    private final InstantSource clock;
    private final PluginContext context;
    private @Nullable TokenApi api;
    private @Nullable DefaultCredentialsProvider chain;
    private volatile @Nullable Refusal refusal;
    private boolean closed;

    /**
     * The API to ask.
     *
     * @param region its region
     * @param fips whether to use the FIPS endpoint
     * @param dualStack whether to use the endpoint for IPv4 and IPv6
     * @param isPublic whether it is the API of ECR Public, which has neither
     */
    record Endpoint(String region, boolean fips, boolean dualStack, boolean isPublic) {
        /** The endpoint of ECR Public. */
        static final Endpoint PUBLIC = new Endpoint(PublicApi.REGION, false, false, true);
    }

    private record Refusal(AwsCredentials identity, CredentialException failure, Instant until) {}

    TokenIssuer(EcrSettings settings, Endpoint endpoint, PluginContext context) {
        this.settings = settings;
        this.endpoint = endpoint;
        this.clock = context.clock();
        this.context = context;
    }

    @Override
    public ExpiringCredential.Issued issue() throws CredentialException {
        Optional<AuthorizationData> answer;
        try {
            AwsCredentials identity = identity();
            throwIfRefused(identity);
            answer = ask(identity);
        } catch (SdkException e) {
            // No answer, or nothing in the default chain: neither is a refusal.
            throw failure(String.valueOf(e.getMessage()), true, e);
        }
        AuthorizationData data = answer.orElseThrow(() -> failure("the answer contains no token", true, null));
        return new ExpiringCredential.Issued(basic(data.authorizationToken()), data.expiresAt());
    }

    private Optional<AuthorizationData> ask(AwsCredentials identity) throws CredentialException {
        try {
            return api().ask(identity);
        } catch (AwsServiceException e) {
            if (e.statusCode() >= 500 || e.statusCode() == 429 || e.isThrottlingException()) {
                throw failure(reason(e), true, e);
            }
            String needed = endpoint.isPublic()
                    ? "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken are"
                    : "ecr:GetAuthorizationToken is";
            CredentialException failure =
                    failure(reason(e) + "; check that " + needed + " allowed and the key is valid", false, e);
            refusal = new Refusal(identity, failure, clock.instant().plus(PATIENCE));
            throw failure;
        }
    }

    private void throwIfRefused(AwsCredentials identity) throws CredentialException {
        Refusal earlier = refusal;
        if (earlier != null
                && earlier.identity().equals(identity)
                && clock.instant().isBefore(earlier.until())) {
            throw new CredentialException(
                    earlier.failure().getMessage() + "; the same key is not tried again before "
                            + earlier.until().truncatedTo(ChronoUnit.SECONDS),
                    false,
                    earlier.failure());
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        close(api);
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

    private AwsCredentials identity() throws CredentialException {
        if (settings.accessKeyId().isEmpty() || settings.secretAccessKey().isEmpty()) {
            return chain().resolveCredentials();
        }
        return AwsBasicCredentials.create(
                settings.accessKeyId().get().read().reveal(),
                settings.secretAccessKey().get().read().reveal());
    }

    private synchronized DefaultCredentialsProvider chain() {
        checkOpen();
        DefaultCredentialsProvider ready = chain;
        if (ready == null) {
            ready = DefaultCredentialsProvider.builder().build();
            chain = ready;
        }
        return ready;
    }

    private synchronized TokenApi api() {
        checkOpen();
        TokenApi ready = api;
        if (ready == null) {
            ready = endpoint.isPublic()
                    ? new PublicApi(settings.endpoint(), context)
                    : new PrivateApi(endpoint, settings.endpoint(), context);
            api = ready;
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
                "cannot get an authorization token from Amazon ECR" + (endpoint.isPublic() ? " Public" : "") + " in "
                        + endpoint.region() + ": " + reason,
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
