package io.urunner.agent.plan;

/** Why nothing is done until somebody or something changes that. */
public enum Blockage {
    /** An annotation {@code urunner.io/…} of the workload has a wrong value or an unknown name. */
    POLICY("wrong policy annotation", true),
    /** The workload, one of its annotations or what would have to be kept of it is too large. */
    TOO_LARGE("too large to be followed", true),
    /** The workload is held. */
    HOLD("held", false),
    /** Somebody reverted our change; until the tag moves. */
    REJECTED("rejected by a revert", false),
    /** The digest's rollout failed at another workload; until the tag moves or an operator lifts it. */
    QUARANTINED("digest quarantined", true),
    /** The API server does not allow us to change the workload. */
    PERMISSION("missing permission", true),
    /** The Deployment is paused. */
    PAUSED("paused", false),
    /** Strategy {@code OnDelete}: new pods start only when somebody deletes the old ones. */
    ON_DELETE("OnDelete", false),
    /** The partition of the StatefulSet covers all replicas. */
    PARTITION("partition covers all replicas", false),
    /** Shadow mode: decided and reported, not touched. */
    SHADOW("shadow mode", false);

    private final String words;
    private final boolean trouble;

    Blockage(String words, boolean trouble) {
        this.words = words;
        this.trouble = trouble;
    }

    /**
     * Whether somebody must fix it, as nobody wanted it so.
     *
     * @return true if it is trouble
     */
    public boolean isTrouble() {
        return trouble;
    }

    /**
     * Returns the reason in a few words, for tables.
     *
     * @return the words
     */
    public String words() {
        return words;
    }
}
