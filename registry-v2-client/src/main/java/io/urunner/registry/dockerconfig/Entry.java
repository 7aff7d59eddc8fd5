package io.urunner.registry.dockerconfig;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The texts of an object with a credential: an entry of {@code auths}, or the answer of a credential helper. It never
 * prints its content. Not thread-safe until it is complete.
 */
final class Entry {
    private static final Set<String> NAMES =
            Set.of("username", "password", "auth", "identitytoken", "registrytoken", "secret", "serverurl");

    /** By name in lower case. */
    private final Map<String, String> texts = new HashMap<>();
    /** The fields that are not texts. */
    private final Set<String> wrong = new HashSet<>();

    private boolean isNoObject;

    /** Sets a field; others than those with credentials are not kept. */
    void put(String name, String text) {
        if (NAMES.contains(name)) {
            texts.put(name, text);
            wrong.remove(name);
        }
    }

    /** Notes that a field is not a text. */
    void putWrong(String name) {
        if (NAMES.contains(name)) {
            wrong.add(name);
        }
    }

    /** Notes that the entry itself is something else. */
    void isNoObject() {
        isNoObject = true;
    }

    /**
     * Returns a field.
     *
     * @throws IllegalArgumentException if it is not a text
     */
    String text(String name) {
        if (isNoObject) {
            throw new IllegalArgumentException("it is not a JSON object");
        }
        if (wrong.contains(name)) {
            throw new IllegalArgumentException("its " + name + " is not a string");
        }
        return texts.getOrDefault(name, "");
    }

    /**
     * Reads the credential as the kubelet does: {@code auth} overrides {@code username} and {@code password}, and
     * tokens are ignored.
     *
     * @throws IllegalArgumentException if a field cannot be read
     */
    Optional<Credential> kubelet() {
        String username = text("username");
        String password = text("password");
        String auth = text("auth");
        if (!auth.isEmpty()) {
            String decoded = decode(auth);
            int colon = decoded.indexOf(':');
            username = decoded.substring(0, colon);
            password = decoded.substring(colon + 1);
        }
        return basic(username, password);
    }

    /**
     * Reads the credential as Docker does: an {@code identitytoken} or a {@code registrytoken} overrides user and
     * password.
     *
     * @throws IllegalArgumentException if a field cannot be read
     */
    Optional<Credential> docker() {
        String identityToken = text("identitytoken");
        if (!identityToken.isEmpty()) {
            return Optional.of(new Credential.IdentityToken(Secret.of(identityToken)));
        }
        String registryToken = text("registrytoken");
        if (!registryToken.isEmpty()) {
            return Optional.of(new Credential.RegistryToken(Secret.of(registryToken)));
        }
        return kubelet();
    }

    /**
     * Combines user and password. On the wire the first colon ends the user (RFC 7617), whoever wrote it: what is
     * configured as user {@code a:b} with password {@code c} reaches the registry as user {@code a} with password
     * {@code b:c}, from Docker and the kubelet as from us.
     */
    static Optional<Credential> basic(String username, String password) {
        int end = password.length();
        while (end > 0 && password.charAt(end - 1) == 0) {
            end--;
        }
        if (end == 0) {
            return Optional.empty();
        }
        String secret = password.substring(0, end);
        int colon = username.indexOf(':');
        return Optional.of(
                colon < 0
                        ? new Credential.Basic(username, Secret.of(secret))
                        : new Credential.Basic(
                                username.substring(0, colon), Secret.of(username.substring(colon + 1) + ":" + secret)));
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

    @Override
    public String toString() {
        return "[secret]";
    }
}
