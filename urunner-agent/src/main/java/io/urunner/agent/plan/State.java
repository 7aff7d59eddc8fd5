package io.urunner.agent.plan;

import java.time.Instant;
import java.util.Optional;

/**
 * How a workload is, beside its {@link Decision}: the decision answers "would it be patched now?", the state "is it
 * well?". Immutable.
 *
 * @param kind which state
 * @param cause what it waits for, what blocks it, or why it is behind, in a few fixed words; empty if there is nothing to
 *     say beside the kind
 * @param reason the reason, for people
 * @param since since when it is so, as far as that is known
 * @param until until when it waits, if that is known
 * @param ill whether somebody should look at it: it does not become well by itself, or not as planned
 */
public record State(
        Kind kind, String cause, String reason, Optional<Instant> since, Optional<Instant> until, boolean ill) {

    /** A workload that was seen just now. */
    public static final State NOT_PLANNED =
            new State(Kind.UNKNOWN, "", "it was not looked at yet", Optional.empty(), Optional.empty(), false);

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
        /** A part of its pods runs an older template, and nothing replaces them. */
        PARTLY_OLD("partly old"),
        /** Somebody holds it at what it runs. */
        HELD("held"),
        /** It will go on by itself, by time or by the next answer. */
        WAITING("waiting"),
        /** Nothing is done until somebody or something changes it. */
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
         * The state in a few words, for tables.
         *
         * @return the words
         */
        public String words() {
            return words;
        }
    }

    /**
     * The state in a few words, with its cause.
     *
     * @return the words
     */
    public String words() {
        return cause.isEmpty() ? kind.words() : kind.words() + ": " + cause;
    }

    /** The same state, known to be so since a time. */
    State since(Optional<Instant> when) {
        return new State(kind, cause, reason, when, until, ill);
    }

    /** Whether this is the same state as another one, whatever their words. */
    boolean isLike(State other) {
        return kind == other.kind && cause.equals(other.cause) && ill == other.ill;
    }
}
