package io.urunner.registry;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A registry did not do what it was asked to do. The message names the action, the host, the repository and the
 * reference, the answer, and what can be done about it; it never contains a secret.
 */
public abstract sealed class RegistryException extends Exception
        permits NotFoundException,
                UnauthorizedException,
                DeniedException,
                RateLimitedException,
                UnavailableException,
                ProtocolViolationException {
    /** The longest reason; it may quote what a registry sent. */
    private static final int MOST = 1000;

    private final transient FailedRequest request;
    private final String reason;
    private final boolean isTransient;

    RegistryException(FailedRequest request, String reason, @Nullable Throwable cause, boolean isTransient) {
        super(describe(request, reason), cause);
        this.request = Objects.requireNonNull(request, "request");
        this.reason = reason;
        this.isTransient = isTransient;
    }

    private static String describe(FailedRequest request, String reason) {
        StringBuilder words = new StringBuilder("cannot ").append(request).append(": ");
        if (request.status().isPresent()) {
            words.append("HTTP ").append(request.status().getAsInt());
            String separator = " ";
            for (OciError error : request.errors()) {
                words.append(separator).append(error);
                separator = ", ";
            }
            words.append(": ");
        }
        return words.append(Bodies.printable(reason, MOST)).toString();
    }

    /** What went wrong, without the request and the answer. */
    String reason() {
        return reason;
    }

    /**
     * Returns what was being done.
     *
     * @return the request
     */
    public FailedRequest request() {
        return request;
    }

    /**
     * Returns the registry that was asked.
     *
     * @return {@code host[:port]}
     */
    public String registry() {
        return request.registry();
    }

    /**
     * Returns the repository that was requested.
     *
     * @return its name, or empty if the request concerned the whole registry
     */
    public Optional<String> repository() {
        return request.repository();
    }

    /**
     * Returns the tag or digest that was requested.
     *
     * @return the tag or digest, if there was one
     */
    public Optional<String> reference() {
        return request.reference();
    }

    /**
     * Returns the HTTP status of the answer.
     *
     * @return the status, or empty if there was no answer
     */
    public OptionalInt status() {
        return request.status();
    }

    /**
     * Returns the errors that the answer named.
     *
     * @return the errors in the answer's order, often none
     */
    public List<OciError> errors() {
        return request.errors();
    }

    /**
     * Whether the same request may succeed later without any change. A denial may if it does not have the form of a
     * registry's or token server's own, such as the page of a gateway in front of it.
     *
     * @return true if trying again later may help
     */
    public final boolean isTransient() {
        return isTransient;
    }
}
