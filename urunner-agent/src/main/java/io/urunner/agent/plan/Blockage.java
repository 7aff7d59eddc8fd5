package io.urunner.agent.plan;

/** Why nothing is done until somebody or something changes it. */
public enum Blockage {
    /** An annotation {@code urunner.io/…} of the workload has a wrong value or a name that is none. */
    POLICY("wrong policy annotation"),
    /** The workload, an annotation of it or all that would have to be kept of it is too large. */
    TOO_LARGE("too large to be followed"),
    /** The workload is held. */
    HOLD("held"),
    /** Somebody took our change back; until the tag moves. */
    REJECTED("rejected by a revert"),
    /** The digest's rollout failed at another workload; until the tag moves or an operator lifts it. */
    QUARANTINED("digest quarantined"),
    /** The API server does not let us change the workload. */
    PERMISSION("missing permission"),
    /** The Deployment is paused. */
    PAUSED("paused"),
    /** Strategy {@code OnDelete}: new pods come only when somebody deletes the old ones. */
    ON_DELETE("OnDelete"),
    /** The partition of the StatefulSet covers all replicas. */
    PARTITION("partition covers all replicas"),
    /** Shadow mode: decided and reported, not touched. */
    SHADOW("shadow mode");

    private final String words;

    Blockage(String words) {
        this.words = words;
    }

    /**
     * The reason in a few words, for tables.
     *
     * @return the words
     */
    public String words() {
        return words;
    }
}
