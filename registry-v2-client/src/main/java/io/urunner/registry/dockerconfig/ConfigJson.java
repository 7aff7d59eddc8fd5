package io.urunner.registry.dockerconfig;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON with secrets, and the entries of {@code auths} in it. Its errors name the place or the field, never the
 * content.
 */
final class ConfigJson {
    /**
     * Anybody may have written a pull secret. There is room for 10,000 hosts with user and password, and for a token of
     * 128 kB in base64. Names are not interned.
     */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxTokenCount(100_000)
                            .maxNestingDepth(64)
                            .maxNameLength(1000)
                            .maxStringLength(256 * 1024)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private ConfigJson() {}

    /**
     * Reads a JSON object.
     *
     * @throws IllegalArgumentException if it is not one, with the place, or if it is too large; without a cause
     */
    static JsonNode object(byte[] json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (StreamConstraintsException e) {
            // For example "Token count (100001) exceeds the maximum allowed (100000, from …)".
            throw new IllegalArgumentException(
                    "too large: " + e.getOriginalMessage().replaceFirst(", from .*", ")"));
        } catch (JsonProcessingException e) {
            @Nullable JsonLocation at = e.getLocation();
            throw new IllegalArgumentException(
                    "not JSON" + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()));
        } catch (IOException e) {
            throw new IllegalArgumentException("not text");
        }
        if (root == null || !root.isObject()) {
            throw new IllegalArgumentException("not a JSON object");
        }
        return root;
    }

    /**
     * Returns a field that is an object, or an empty object if it is missing or null.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static JsonNode object(JsonNode parent, String field) {
        @Nullable JsonNode child = parent.get(field);
        if (child == null || child.isNull()) {
            return JSON.createObjectNode();
        }
        if (!child.isObject()) {
            throw new IllegalArgumentException("its " + field + " is not a JSON object");
        }
        return child;
    }

    /**
     * Reads the credential of an entry as the kubelet does: {@code auth} overrides {@code username} and {@code
     * password}, and tokens are ignored.
     *
     * @throws IllegalArgumentException if a field cannot be read
     */
    static Optional<Credential> kubelet(JsonNode entry) {
        if (!entry.isObject()) {
            throw new IllegalArgumentException("it is not a JSON object");
        }
        String username = text(entry, "username");
        String password = text(entry, "password");
        String auth = text(entry, "auth");
        if (!auth.isEmpty()) {
            String decoded = decode(auth);
            int colon = decoded.indexOf(':');
            username = decoded.substring(0, colon);
            password = decoded.substring(colon + 1);
        }
        return basic(username, password);
    }

    /**
     * Reads the credential of an entry as Docker does: an {@code identitytoken} or a {@code registrytoken} overrides
     * user and password.
     *
     * @throws IllegalArgumentException if a field cannot be read
     */
    static Optional<Credential> docker(JsonNode entry) {
        if (!entry.isObject()) {
            throw new IllegalArgumentException("it is not a JSON object");
        }
        String identityToken = text(entry, "identitytoken");
        if (!identityToken.isEmpty()) {
            return Optional.of(new Credential.IdentityToken(Secret.of(identityToken)));
        }
        String registryToken = text(entry, "registrytoken");
        if (!registryToken.isEmpty()) {
            return Optional.of(new Credential.RegistryToken(Secret.of(registryToken)));
        }
        return kubelet(entry);
    }

    private static Optional<Credential> basic(String username, String password) {
        int end = password.length();
        while (end > 0 && password.charAt(end - 1) == 0) {
            end--;
        }
        if (end == 0) {
            return Optional.empty();
        }
        if (username.indexOf(':') >= 0) {
            throw new IllegalArgumentException("its username has a colon");
        }
        return Optional.of(new Credential.Basic(username, Secret.of(password.substring(0, end))));
    }

    /** Decodes base64 with or without padding; line breaks in it are ignored. */
    private static String decode(String auth) {
        String decoded;
        try {
            byte[] bytes = Base64.getDecoder().decode(auth.replace("\r", "").replace("\n", ""));
            decoded = new String(bytes, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            // The cause would repeat a part of the secret.
            throw new IllegalArgumentException("its auth is not base64");
        }
        if (decoded.indexOf(':') < 0) {
            throw new IllegalArgumentException("its auth is not the base64 of user:password");
        }
        return decoded;
    }

    private static String text(JsonNode entry, String field) {
        @Nullable JsonNode value = entry.get(field);
        if (value == null || value.isNull()) {
            return "";
        }
        if (!value.isTextual()) {
            throw new IllegalArgumentException("its " + field + " is not a string");
        }
        return value.textValue();
    }
}
