package io.urunner.registry.auth;

import java.util.Objects;

/**
 * What a client shows a registry or its token server. Two equal credentials are the same identity: tokens are cached by
 * it. None of them prints its secret.
 */
public sealed interface Credential {
    /** No identity: what anybody may read. */
    record Anonymous() implements Credential {}

    /**
     * User and password (RFC 7617), sent to the registry on a {@code Basic} challenge and to the token server on a {@code
     * Bearer} challenge.
     *
     * @param user the user name; it must not contain a colon
     * @param password the password or token
     */
    record Basic(String user, Secret password) implements Credential {
        public Basic {
            Objects.requireNonNull(password, "password");
            if (user.indexOf(':') >= 0) {
                throw new IllegalArgumentException("a user name must not contain a colon (RFC 7617)");
            }
        }

        /** Some registries take a token as user name too: then the name is a secret as well. */
        @Override
        public String toString() {
            return "Basic[user=" + (user.equals(password.reveal()) ? password : user) + ", password=" + password + "]";
        }
    }

    /**
     * An OAuth2 refresh token (Docker's {@code identitytoken}), exchanged at the token server by {@code POST} with {@code
     * grant_type=refresh_token}.
     *
     * @param refreshToken the token
     */
    record IdentityToken(Secret refreshToken) implements Credential {
        public IdentityToken {
            Objects.requireNonNull(refreshToken, "refreshToken");
        }
    }

    /**
     * An access token of an identity provider (Microsoft Entra ID), exchanged for a refresh token at the registry's token
     * server, by {@code POST} to {@code exchange} beside it with {@code grant_type=access_token} (Azure's registry).
     *
     * @param token the token
     * @param tenant the tenant that gave it, or the empty text
     */
    record AccessToken(Secret token, String tenant) implements Credential {
        public AccessToken {
            Objects.requireNonNull(token, "token");
            Objects.requireNonNull(tenant, "tenant");
        }
    }

    /**
     * A token that the registry itself takes as {@code Authorization: Bearer} (Docker's {@code registrytoken}).
     *
     * @param token the token
     */
    record RegistryToken(Secret token) implements Credential {
        public RegistryToken {
            Objects.requireNonNull(token, "token");
        }
    }
}
