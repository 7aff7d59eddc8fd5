package io.urunner.registry.ecr;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.auth.PluginContext;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Instant;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignedRequest;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;

/**
 * The API of ECR Public, which exists in one region. The SDK has a separate artifact for its client; for our single
 * request, the SDK's signer and HTTP client are enough.
 */
final class PublicApi implements TokenApi {
    /** The only region that has it. */
    static final String REGION = "us-east-1";

    private static final URI URL = URI.create("https://api.ecr-public.us-east-1.amazonaws.com/");
    private static final int MOST = 64 * 1024;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI url;
    private final SdkHttpClient http;

    PublicApi(Optional<URI> url, PluginContext context) {
        http = TokenApi.http(context);
        this.url = url.orElse(URL);
    }

    @Override
    public Optional<AuthorizationData> ask(AwsCredentials identity) {
        ContentStreamProvider body = ContentStreamProvider.fromUtf8String("{}");
        SdkHttpFullRequest question = SdkHttpFullRequest.builder()
                .method(SdkHttpMethod.POST)
                .uri(url)
                .putHeader("Content-Type", "application/x-amz-json-1.1")
                .putHeader("X-Amz-Target", "SpencerFrontendService.GetAuthorizationToken")
                .build();
        SignedRequest signed = AwsV4HttpSigner.create()
                .sign(request -> request.identity(identity)
                        .request(question)
                        .payload(body)
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "ecr-public")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, REGION));
        try {
            HttpExecuteResponse response = http.prepareRequest(HttpExecuteRequest.builder()
                            .request(signed.request())
                            .contentStreamProvider(signed.payload().orElse(body))
                            .build())
                    .call();
            JsonNode answer = read(response);
            int status = response.httpResponse().statusCode();
            if (status != 200) {
                throw refusal(status, answer);
            }
            // One object, whereas the API of the private registries has a list.
            JsonNode data = answer.path("authorizationData");
            String token = data.path("authorizationToken").asText("");
            return token.isEmpty()
                    ? Optional.empty()
                    : Optional.of(AuthorizationData.builder()
                            .authorizationToken(token)
                            .expiresAt(
                                    Instant.ofEpochSecond(data.path("expiresAt").asLong()))
                            .build());
        } catch (IOException e) {
            throw SdkClientException.create(url.getHost() + " gave an unreadable answer: " + e.getMessage(), e);
        }
    }

    private static JsonNode read(HttpExecuteResponse response) throws IOException {
        if (response.responseBody().isEmpty()) {
            return JSON.createObjectNode();
        }
        try (InputStream body = response.responseBody().get()) {
            return JSON.readTree(body.readNBytes(MOST));
        } catch (com.fasterxml.jackson.core.JacksonException e) {
            // Its message may quote the token.
            return JSON.createObjectNode();
        }
    }

    private static AwsServiceException refusal(int status, JsonNode answer) {
        String type = answer.path("__type").asText("");
        return AwsServiceException.builder()
                .statusCode(status)
                .awsErrorDetails(AwsErrorDetails.builder()
                        .errorCode(type.substring(type.indexOf('#') + 1))
                        .errorMessage(answer.path("message")
                                .asText(answer.path("Message").asText("")))
                        .build())
                .build();
    }

    @Override
    public void close() {
        http.close();
    }
}
