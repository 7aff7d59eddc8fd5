package io.urunner.registry;

/** A credential was not accepted; another one may be. It never leaves the client. */
final class NotAccepted extends Exception {
    private final transient RegistryException error;
    private final boolean renewable;

    NotAccepted(RegistryException error, boolean renewable) {
        super(error);
        this.error = error;
        this.renewable = renewable;
    }

    RegistryException error() {
        return error;
    }

    /**
     * Whether the credential was sent just now and refused, so that a provider that can get another one should do so.
     */
    boolean renewable() {
        return renewable;
    }
}
