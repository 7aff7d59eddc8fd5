package io.urunner.agent.rollback;

import io.urunner.registry.Digest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;

/** Where a rollback shall lead. */
public sealed interface Goal {
    /**
     * A digest.
     *
     * @param digest the digest
     */
    record Exactly(String digest) implements Goal {
        @Override
        public String toString() {
            return digest;
        }
    }

    /**
     * So many digests back.
     *
     * @param steps 1 is the digest before the present one
     */
    record Back(int steps) implements Goal {
        @Override
        public String toString() {
            return "-" + steps;
        }
    }

    /**
     * What the tag had at a time.
     *
     * @param time the time
     */
    record At(Instant time) implements Goal {
        @Override
        public String toString() {
            return time.toString();
        }
    }

    /**
     * Reads what people write.
     *
     * @param text a digest, {@code -1} or another number of steps, or a time as of ISO 8601 with its offset
     * @return the goal
     * @throws IllegalArgumentException if it is none of these
     */
    static Goal parse(String text) {
        if (text.matches("-[1-9][0-9]{0,5}")) {
            return new Back(Integer.parseInt(text.substring(1)));
        }
        if (text.contains(":") && !Character.isDigit(text.charAt(0))) {
            return new Exactly(Digest.parse(text).toString());
        }
        try {
            return new At(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("'" + text
                    + "' is no digest (sha256:…), no number of steps (-1) and no time (2026-02-03T14:05:00Z)");
        }
    }
}
