package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/** The registry, or something in front of it, requires credentials and there are none, or rejected them (401). */
public final class UnauthorizedException extends RegistryException {
    private static final long serialVersionUID = 1L;

    private final boolean mayPass;

    /**
     * Creates the error.
     *
     * @param request what was being done
     * @param reason what went wrong, and what can be done about it
     * @param cause the cause, or null
     */
    public UnauthorizedException(FailedRequest request, String reason, @Nullable Throwable cause) {
        this(request, reason, cause, false);
    }

    UnauthorizedException(FailedRequest request, String reason, @Nullable Throwable cause, boolean mayPass) {
        super(request, reason, cause);
        this.mayPass = mayPass;
    }

    /**
     * Whether the same request may succeed later without any change. That is so if the refusal does not have the form of
     * a registry's or token server's own, such as the page of a gateway in front of it.
     */
    @Override
    public boolean isTransient() {
        return mayPass;
    }
}
