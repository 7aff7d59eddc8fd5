package io.urunner.registry;

/** A credential did not do; another one may. It never leaves the client. */
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

    /** Whether the credential was shown just now and refused, so that a provider that can get another one should. */
    boolean renewable() {
        return renewable;
    }
}
