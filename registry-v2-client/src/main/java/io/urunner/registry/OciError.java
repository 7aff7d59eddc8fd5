package io.urunner.registry;

import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * One error that an answer names (OCI distribution specification, "Error Codes"). Answers in the other forms that
 * registries, token servers and gateways use are read, too: OAuth's {@code error} and {@code error_description} (RFC
 * 6749, section 5.2), a message and what is added to it without a list of errors, and short plain texts.
 *
 * <p>What the client reads from an answer is bounded in length, is one line, and contains no character that controls a
 * terminal, changes the direction of reading or is invisible.
 *
 * @param code the code, for example {@code MANIFEST_UNKNOWN}; {@code UNKNOWN} if the answer names none
 * @param message the registry's message, or the empty text
 * @param detail what the registry adds to the message, or the empty text; JSON if it is not a text
 */
public record OciError(String code, String message, String detail) {
    /** The code of an error without one (OCI distribution specification, version 1.0 and "Docker Registry v2"). */
    static final String UNKNOWN = "UNKNOWN";

    public OciError {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
        Objects.requireNonNull(detail, "detail");
    }

    /**
     * Creates an error without detail.
     *
     * @param code the code
     * @param message the registry's message, or the empty text
     */
    public OciError(String code, String message) {
        this(code, message, "");
    }

    /** Whether one of several errors has one of these codes. */
    static boolean anyIs(List<OciError> errors, Set<String> codes) {
        for (OciError error : errors) {
            if (codes.contains(error.code)) {
                return true;
            }
        }
        return false;
    }

    /** The error in one line: {@code DENIED (requested access is denied: {"name":"team/app"})}. */
    @Override
    public String toString() {
        if (detail.isEmpty() || message.contains(detail)) {
            return message.isEmpty() ? code : code + " (" + message + ")";
        }
        return code + " (" + (message.isEmpty() ? "" : message + ": ") + detail + ")";
    }
}
