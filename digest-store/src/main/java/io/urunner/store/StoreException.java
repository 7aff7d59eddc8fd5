package io.urunner.store;

/** The database could not do what it was asked to do. The message says which database, what failed and what to do. */
public final class StoreException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an error with its cause.
     *
     * @param message which database, what failed, what to do
     * @param cause the cause
     */
    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * Creates an error without a cause.
     *
     * @param message which database, what failed, what to do
     */
    public StoreException(String message) {
        super(message);
    }
}
