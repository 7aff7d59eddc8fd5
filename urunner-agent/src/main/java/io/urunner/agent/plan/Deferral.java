package io.urunner.agent.plan;

/** Why a decision waits: each of these ends by itself, with time or with the next answer. */
public enum Deferral {
    /** The registry has not been asked for the reference yet. */
    NOT_ASKED_YET("not asked yet", Kind.PASSING),
    /** The registry does not know the tag. */
    TAG_NOT_FOUND("tag not found", Kind.TROUBLE),
    /** No credential is configured, and the registry requires one. */
    NO_CREDENTIAL("no credential", Kind.TROUBLE),
    /** The registry, or the issuer of its tokens, does not accept the credential. */
    CREDENTIAL_REJECTED("credential rejected", Kind.TROUBLE),
    /** The credential does not give access to this repository. */
    ACCESS_DENIED("access denied", Kind.TROUBLE),
    /** The registry asked for fewer requests. */
    RATE_LIMITED("rate limited", Kind.TROUBLE),
    /** Our own budget of requests to the registry is used up. */
    REQUEST_BUDGET("request budget", Kind.PLANNED),
    /** The registry cannot be reached, or answers with server errors. */
    REGISTRY_UNREACHABLE("registry unreachable", Kind.TROUBLE),
    /** The registry gives answers that violate the protocol. */
    REGISTRY_CONFUSED("registry answers wrongly", Kind.TROUBLE),
    /** The tag has a digest that it had before: it counts when a second pass sees it, too. */
    UNCONFIRMED("digest not confirmed yet", Kind.PASSING),
    /** What runs can be compared only with the digest's content, which is being read. */
    CONTENT_UNREAD("content not read yet", Kind.PASSING),
    /** What runs can be compared only with the digest's content, which cannot be read now. */
    CONTENT_UNKNOWN("content unknown", Kind.TROUBLE),
    /** The pods have changed since the registry was asked: its next answer decides. */
    ANSWER_TOO_OLD("answer older than the pods", Kind.PASSING),
    /** The tag has not had the digest for long enough. */
    SETTLE("settle time", Kind.PLANNED),
    /** The last rollout of the workload is too recent. */
    COOLDOWN("cooldown", Kind.PLANNED),
    /** No window is open. */
    WINDOW("outside the windows", Kind.PLANNED),
    /** The digest failed in several other namespaces, and has worked nowhere. */
    FAILED_ELSEWHERE("failed elsewhere", Kind.PLANNED),
    /** Another workload of the same image goes first. */
    CANARY("canary goes first", Kind.PLANNED),
    /** Too many rollouts are running. */
    BUDGET("rollout budget", Kind.PLANNED);

    private enum Kind {
        /** Over in a moment. */
        PASSING,
        /** It waits as configured. */
        PLANNED,
        /** Nobody wanted it. */
        TROUBLE
    }

    private final String words;
    private final Kind kind;

    Deferral(String words, Kind kind) {
        this.words = words;
        this.kind = kind;
    }

    /**
     * Whether another decision follows in a moment.
     *
     * @return true if it need not be reported
     */
    public boolean isPassing() {
        return kind == Kind.PASSING;
    }

    /**
     * Whether it waits for something that somebody may have to fix.
     *
     * @return true if it is trouble
     */
    public boolean isTrouble() {
        return kind == Kind.TROUBLE;
    }

    /**
     * Whether it waits because of the configured rollout policy.
     *
     * @return true if it is planned
     */
    public boolean isPlanned() {
        return kind == Kind.PLANNED && this != REQUEST_BUDGET;
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
