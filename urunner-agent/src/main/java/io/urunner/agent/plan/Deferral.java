package io.urunner.agent.plan;

/** Why a decision waits: each of these ends by itself, by time or by the next answer. */
public enum Deferral {
    /** The registry was not asked for the reference yet. */
    NOT_ASKED_YET("not asked yet"),
    /** The registry does not know the tag. */
    TAG_NOT_FOUND("tag not found"),
    /** No credential is configured and the registry wants one. */
    NO_CREDENTIAL("no credential"),
    /** The registry, or the issuer of its tokens, does not accept the credential. */
    CREDENTIAL_REJECTED("credential rejected"),
    /** The credential does not open this repository. */
    ACCESS_DENIED("access denied"),
    /** The registry asked for fewer requests. */
    RATE_LIMITED("rate limited"),
    /** The registry cannot be reached, or answers with errors of its own. */
    REGISTRY_UNREACHABLE("registry unreachable"),
    /** The registry answers with what the protocol does not know. */
    REGISTRY_CONFUSED("registry answers wrongly"),
    /** The tag has a digest that it had before: it counts when a second pass sees it, too. */
    UNCONFIRMED("digest not confirmed yet"),
    /** What runs can only be compared with the digest's content, which cannot be fetched now. */
    CONTENT_UNKNOWN("content unknown"),
    /** The pods changed since the registry was asked: its next answer decides. */
    ANSWER_TOO_OLD("answer older than the pods"),
    /** The digest does not stand long enough. */
    SETTLE("settle time"),
    /** The last rollout of the workload is too recent. */
    COOLDOWN("cooldown"),
    /** No window is open. */
    WINDOW("outside the windows"),
    /** The digest failed in several other namespaces, and worked nowhere. */
    FAILED_ELSEWHERE("failed elsewhere"),
    /** Another workload of the same image goes first. */
    CANARY("canary goes first"),
    /** Too many rollouts are running. */
    BUDGET("rollout budget");

    private final String words;

    Deferral(String words) {
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
