package io.urunner.registry.auth;

import java.util.Objects;

/**
 * What a client presents to a registry or its token server. Two equal credentials are the same identity, by which
 * tokens are cached. Credentials never print their secret.
 */
public sealed interface Credential {
    /** No identity: only what is public. */
    record Anonymous() implements Credential {}

    /**
     * User and password (RFC 7617), sent to the registry on a {@code Basic} challenge and to the token server on a
     * {@code Bearer} challenge.
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

        /** Some registries also accept a token as the user name: then the name is a secret as well. */
        @Override
        public String toString() {
            return "Basic[user=" + (user.equals(password.reveal()) ? password : user) + ", password=" + password + "]";
        }
    }

    /**
     * An OAuth2 refresh token (Docker's {@code identitytoken}), exchanged at the token server by {@code POST} with
     * {@code grant_type=refresh_token}.
     *
     * @param refreshToken the token
     */
    record IdentityToken(Secret refreshToken) implements Credential {
        public IdentityToken {
            Objects.requireNonNull(refreshToken, "refreshToken");
        }
    }

    /**
     * An access token of an identity provider (Microsoft Entra ID), exchanged for a refresh token at the registry's
     * token server, by {@code POST} to its {@code exchange} endpoint with {@code grant_type=access_token} (Azure's
     * registry).
     *
     * @param token the token
     * @param tenant the tenant that issued it, or the empty text
     */
    record AccessToken(Secret token, String tenant) implements Credential {
        public AccessToken {
            Objects.requireNonNull(token, "token");
            Objects.requireNonNull(tenant, "tenant");
        }
    }

    /**
     * A token that the registry itself accepts as {@code Authorization: Bearer} (Docker's {@code registrytoken}).
     *
     * @param token the token
     */
    record RegistryToken(Secret token) implements Credential {
        public RegistryToken {
            Objects.requireNonNull(token, "token");
        }
    }
}
