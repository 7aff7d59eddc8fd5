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
 * Reads JSON that holds secrets, and the entries of {@code auths} in it: what it throws names the place or the field, never
 * its content.
 */
final class ConfigJson {
    /**
     * Who writes a pull secret may be anybody. There is room for 10,000 hosts with user and password, and for a token of 128
     * kB in base64. Names are not kept for the next time.
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
     * @throws IllegalArgumentException if it is not one, with the place, or too large; without a cause
     */
    static JsonNode object(byte[] json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (StreamConstraintsException e) {
            // Such as "Token count (100001) exceeds the maximum allowed (100000, from …)".
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
     * A field that is an object; where it is missing or null, an empty one.
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
     * The credential in an entry as the kubelet reads it: {@code auth} wins over {@code username} and {@code password}, and
     * tokens are not read.
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
     * The credential in an entry as Docker reads it: an {@code identitytoken} or a {@code registrytoken} comes before user
     * and password.
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

    /** Base64 with or without padding; line breaks in it do not matter. */
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
            throw new IllegalArgumentException("its " + field + " is not a text");
        }
        return value.textValue();
    }
}
