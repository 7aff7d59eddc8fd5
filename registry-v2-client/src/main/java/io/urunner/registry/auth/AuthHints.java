package io.urunner.registry.auth;

import java.net.URI;
import java.util.Optional;

/**
 * What a client must know, in addition to the credential, to authenticate at a registry that deviates from the usual
 * procedure. Immutable.
 *
 * @param basicDirectly whether to send Basic credentials to the registry with the first request, without waiting for a
 *     challenge and without exchanging them for a token (Harbor, ECR)
 * @param tokenEndpoint the token server to use instead of the one that a challenge names, or empty to follow the
 *     challenge
 */
public record AuthHints(boolean basicDirectly, Optional<URI> tokenEndpoint) {
    /** Nothing special. */
    public static final AuthHints NONE = new AuthHints(false, Optional.empty());

    /**
     * Returns hints to send Basic credentials at once.
     *
     * @return the hints
     */
    public static AuthHints sendBasicDirectly() {
        return new AuthHints(true, Optional.empty());
    }

    /**
     * Returns hints to use a token server.
     *
     * @param endpoint its URL
     * @return the hints
     */
    public static AuthHints askForTokensAt(URI endpoint) {
        return new AuthHints(false, Optional.of(endpoint));
    }
}
