package io.urunner.agent.plan;

import java.time.Instant;
import java.util.Optional;

/**
 * The state of a workload, in addition to its {@link Decision}: the decision answers "would it be patched now?", the state
 * "is it healthy?". Immutable.
 *
 * @param kind which state
 * @param cause what it waits for, what blocks it, or why it is behind, in a few fixed words; empty if the kind says it all
 * @param reason the reason, for people
 * @param since since when this is so, as far as known
 * @param until until when it waits, if known
 * @param ill whether somebody should look at it: it does not recover by itself, or not as planned
 */
public record State(
        Kind kind, String cause, String reason, Optional<Instant> since, Optional<Instant> until, boolean ill) {

    /** The state of a workload that was just seen for the first time. */
    public static final State NOT_PLANNED =
            new State(Kind.UNKNOWN, "", "it has not been checked yet", Optional.empty(), Optional.empty(), false);

    /** The states. */
    public enum Kind {
        /** Every pod runs what its tags say, and is available. */
        UP_TO_DATE("up to date"),
        /** New pods are coming. */
        ROLLING_OUT("rolling out"),
        /** The pods of the current template do not become available. */
        FAILED("failed"),
        /** It was restarted, and every pod still runs the old image. */
        STILL_OLD("still the old image"),
        /** Some of its pods run an older template, and nothing replaces them. */
        PARTLY_OLD("partly old"),
        /** Somebody holds it at what it runs. */
        HELD("held"),
        /** It will continue by itself, with time or with the next answer. */
        WAITING("waiting"),
        /** Nothing is done until somebody or something changes that. */
        BLOCKED("blocked"),
        /** None of its tags is followed. */
        NOT_WATCHED("not watched"),
        /** Nothing is known of it yet. */
        UNKNOWN("unknown");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /**
         * Returns the state in a few words, for tables.
         *
         * @return the words
         */
        public String words() {
            return words;
        }
    }

    /**
     * Returns the state in a few words, with its cause.
     *
     * @return the words
     */
    public String words() {
        return cause.isEmpty() ? kind.words() : kind.words() + ": " + cause;
    }

    /** The same state with the time since when it is known. */
    State since(Optional<Instant> when) {
        return new State(kind, cause, reason, when, until, ill);
    }

    /** Whether this is the same state as another one, apart from the wording. */
    boolean isLike(State other) {
        return kind == other.kind && cause.equals(other.cause) && ill == other.ill;
    }
}
