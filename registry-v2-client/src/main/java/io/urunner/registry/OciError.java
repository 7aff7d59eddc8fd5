package io.urunner.registry;

import java.util.Objects;

/**
 * One entry of a registry's error answer (OCI distribution specification, "Error Codes").
 *
 * @param code the code, for example {@code MANIFEST_UNKNOWN}
 * @param message the registry's message, or the empty text
 */
public record OciError(String code, String message) {
    public OciError {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
    }

    @Override
    public String toString() {
        return message.isEmpty() ? code : code + " (" + message + ")";
    }
}
