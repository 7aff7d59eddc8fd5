package io.urunner.registry.ecr;

import io.urunner.registry.auth.PluginContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/** An API that issues authorization tokens: that of private registries, or that of ECR Public. Thread-safe. */
interface TokenApi extends SdkAutoCloseable {
    int CONNECT_MILLIS = 5_000;
    int READ_MILLIS = 10_000;

    /**
     * Requests a token once.
     *
     * @param identity whose credentials to use
     * @return the token, or empty if the answer contains none
     * @throws software.amazon.awssdk.core.exception.SdkException if there is no answer, or an error
     */
    Optional<AuthorizationData> ask(AwsCredentials identity);

    /** The HTTP client of both, through the proxies of a context. */
    static SdkHttpClient http(PluginContext context) {
        return UrlConnectionHttpClient.create(url -> {
            try {
                HttpURLConnection connection = (HttpURLConnection)
                        url.toURL().openConnection(context.proxies().select(url).get(0));
                connection.setAuthenticator(context.proxyLogin());
                connection.setConnectTimeout(CONNECT_MILLIS);
                connection.setReadTimeout(READ_MILLIS);
                return connection;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
