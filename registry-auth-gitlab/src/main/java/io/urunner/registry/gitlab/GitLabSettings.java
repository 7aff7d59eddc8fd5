package io.urunner.registry.gitlab;

import io.urunner.registry.auth.SecretSource;
import java.net.URI;
import java.util.Objects;
import java.util.Optional;

/**
 * How to read from a GitLab container registry.
 *
 * @param user the user name. A deploy token needs its own ({@code gitlab+deploy-token-<n>} by default); with a
 *     personal, project or group access token any name works, and without one the token is also sent as the name
 * @param token the token, with the scope {@code read_registry}
 * @param authUrl the URL of GitLab itself, with or without {@code https://}, if it must not be taken from the
 *     registry's challenge; tokens are then requested at its {@code /jwt/auth}
 */
public record GitLabSettings(Optional<String> user, SecretSource token, Optional<String> authUrl) {
    public GitLabSettings {
        Objects.requireNonNull(token, "token");
        if (user.isPresent() && (user.get().isBlank() || user.get().indexOf(':') >= 0)) {
            throw new IllegalArgumentException("'user' must not be empty and must not contain a colon");
        }
        authUrl.ifPresent(GitLabSettings::endpoint);
    }

    /** The token server below {@link #authUrl}. */
    Optional<URI> tokenEndpoint() {
        return authUrl.map(GitLabSettings::endpoint);
    }

    private static URI endpoint(String authUrl) {
        String base = authUrl.strip().replaceFirst("(?<=[^:/])/+$", "");
        URI uri;
        try {
            uri = URI.create((base.contains("://") ? base : "https://" + base) + "/jwt/auth");
        } catch (IllegalArgumentException e) {
            // Without its cause, which repeats the text, and so perhaps a token in it.
            throw new IllegalArgumentException(
                    "'authUrl' has a character that is not allowed in a URL; write, for example, https://gitlab.example.com");
        }
        boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
        if (!web || uri.getHost() == null || uri.getUserInfo() != null || uri.getQuery() != null) {
            throw new IllegalArgumentException(
                    "'authUrl' must be the URL of a GitLab, for example https://gitlab.example.com");
        }
        return uri;
    }
}
