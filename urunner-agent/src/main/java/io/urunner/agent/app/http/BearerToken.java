package io.urunner.agent.app.http;

import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.Secret;
import io.urunner.registry.auth.SecretSource;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Bearer tokens (RFC 6750) of the agent's endpoints. */
public final class BearerToken {
    private static final Logger LOG = LoggerFactory.getLogger(BearerToken.class);
    /** The header for the token if a proxy, such as an API server, consumes {@code Authorization}. */
    public static final String HEADER = "X-URunner-Token";

    private static final String SCHEME = "Bearer ";
    private static final int BYTES = 32;

    private BearerToken() {}

    /**
     * Creates a random token.
     *
     * @return the token
     */
    public static Secret random() {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return Secret.of(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /**
     * The header value for a token.
     *
     * @param token the token
     * @return the value of {@code Authorization}; a secret
     */
    public static String header(Secret token) {
        return SCHEME + token.reveal();
    }

    /**
     * Restricts an endpoint to requests with one of some tokens; others are answered with 401.
     *
     * @param tokens the tokens, read for every request; compared in constant time
     * @param endpoint answers authorized requests
     * @return the restricted endpoint
     */
    public static Endpoint required(List<SecretSource> tokens, Endpoint endpoint) {
        AtomicReference<String> unreadable = new AtomicReference<>("");
        return request -> {
            boolean known = false;
            Optional<Secret> shown = shown(request);
            if (shown.isPresent()) {
                for (SecretSource token : tokens) {
                    known |= isEqual(token, shown.get(), unreadable);
                }
            }
            return known
                    ? endpoint.answer(request)
                    : new Endpoint.Response(
                            401,
                            "text/plain; charset=utf-8",
                            "a bearer token is required\n",
                            Map.of("WWW-Authenticate", "Bearer realm=\"urunner\""));
        };
    }

    private static Optional<Secret> shown(Endpoint.Request request) {
        String header = request.header("Authorization");
        String token = header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                ? header.substring(SCHEME.length())
                : request.header(HEADER);
        return token.isEmpty() ? Optional.empty() : Optional.of(Secret.of(token));
    }

    /** Logged once, because clients can ask as often as they like. */
    private static boolean isEqual(SecretSource token, Secret shown, AtomicReference<String> told) {
        try {
            return token.read().equals(shown);
        } catch (CredentialException e) {
            String words = String.valueOf(e.getMessage());
            if (!words.equals(told.getAndSet(words))) {
                LOG.warn("a token of the HTTP endpoints: {}", words);
            }
            return false;
        }
    }
}
