package io.urunner.kube;

/**
 * A request to the API server failed. The message says what was being done, to which server, and what the user can do.
 */
public final class KubeException extends Exception {
    private static final long serialVersionUID = 1;

    /** The status of a request that got no answer. */
    public static final int NO_ANSWER = 0;

    private final int status;

    /**
     * An answer that refuses.
     *
     * @param message what was being done, to which server, and what the user can do
     * @param status the HTTP status of the answer, or {@link #NO_ANSWER}
     */
    public KubeException(String message, int status) {
        super(message);
        this.status = status;
    }

    KubeException(String message, Throwable cause) {
        super(message, cause);
        this.status = NO_ANSWER;
    }

    /**
     * The HTTP status of the answer.
     *
     * @return the status; {@link #NO_ANSWER} if there was no answer: the request may have taken effect nevertheless
     */
    public int status() {
        return status;
    }

    /**
     * Whether a permission is missing: the message names it.
     *
     * @return true for 403
     */
    public boolean forbidden() {
        return status == 403;
    }
}
