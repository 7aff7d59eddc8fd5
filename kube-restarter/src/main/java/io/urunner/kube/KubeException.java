package io.urunner.kube;

import io.urunner.kube.KubeAccess.Permission;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request to the API server failed. The message says what was attempted, at which server, and what the user can do.
 */
public final class KubeException extends Exception {
    private static final long serialVersionUID = 1;

    /** The status of a request without a response. */
    public static final int NO_ANSWER = 0;

    /** The status when no request was sent because a name is not valid: the API server would respond like this. */
    static final int NO_NAME = 400;

    /** The status when no request was sent because the change cannot be made. */
    static final int UNPROCESSABLE = 422;

    /** The status of a response that is too large. */
    static final int TOO_LARGE = 413;

    private final int status;
    private final boolean admission;
    private final transient @Nullable Permission missing;

    /**
     * Creates an error.
     *
     * @param message what was attempted, at which server, and what the user can do
     * @param status the HTTP status of the response, or {@link #NO_ANSWER}
     */
    public KubeException(String message, int status) {
        this(message, status, false, Optional.empty());
    }

    /**
     * {@code admission}: whether the account has the permission, and a rule of the cluster refuses the request;
     * {@code missing}: the permission that the account lacks.
     */
    KubeException(String message, int status, boolean admission, Optional<Permission> missing) {
        super(message);
        this.status = status;
        this.admission = admission;
        this.missing = missing.orElse(null);
    }

    KubeException(String message, Throwable cause) {
        super(message, cause);
        this.status = NO_ANSWER;
        this.admission = false;
        this.missing = null;
    }

    /**
     * Returns the HTTP status of the response.
     *
     * @return the status; {@link #NO_ANSWER} if there was no response: the request may have taken effect nevertheless
     */
    public int status() {
        return status;
    }

    /**
     * Whether a permission is missing.
     *
     * @return true for 403, unless it comes from an admission rule
     */
    public boolean forbidden() {
        return status == 403 && !admission;
    }

    /**
     * Returns the permission that is missing.
     *
     * @return the permission; empty if none is missing, or if the request was not about objects
     */
    public Optional<Permission> missing() {
        return Optional.ofNullable(missing);
    }

    /**
     * Whether the API server refuses the content of the request, for example by an admission rule or a validation: the same
     * request will be refused again until somebody changes something.
     *
     * @return true for a 4xx other than 401, 408, 409 and 429, and other than a missing permission
     */
    public boolean refused() {
        return switch (status) {
            case 401, 408, 409, 429 -> false;
            default -> status / 100 == 4 && !forbidden();
        };
    }
}
