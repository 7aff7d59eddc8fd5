package io.urunner.agent.app.rollback;

import io.urunner.kube.WorkloadId;

/** The request cannot be carried out, and nothing was changed. The message says why, and what to do. */
public final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean wronglyAsked;

    private RefusedException(String message, boolean wronglyAsked) {
        super(message);
        this.wronglyAsked = wronglyAsked;
    }

    static RefusedException wronglyAsked(String message) {
        return new RefusedException(message, true);
    }

    static RefusedException notThere(WorkloadId id, Surroundings with) {
        return new RefusedException("there is no " + id + " in this cluster" + with.didYouMean(id.name()), false);
    }

    static RefusedException hindered(String message) {
        return new RefusedException(message + "; nothing was changed", false);
    }

    /**
     * Whether the request is wrong, and not the cluster, the registry or the history.
     *
     * @return true if the request must be changed
     */
    public boolean isWronglyAsked() {
        return wronglyAsked;
    }
}
