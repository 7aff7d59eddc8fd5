package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.util.Optional;
import java.util.Set;

/**
 * What the rules say of one container, before the workload's policies.
 *
 * @param container its name
 * @param reference its reference; empty if it is not tracked
 * @param digest the registry's digest now, if known
 * @param running the digests that the pods of the current revision report
 * @param old those of them that are known not to belong to the registry's digest
 * @param kind the verdict
 * @param cause of an unresolved container the kind of reason
 * @param words the reason, for people
 */
public record Verdict(
        String container,
        Optional<ImageReference> reference,
        Optional<Digest> digest,
        Set<String> running,
        Set<String> old,
        Kind kind,
        Optional<Deferral> cause,
        String words) {
    public Verdict {
        running = Set.copyOf(running);
        old = Set.copyOf(old);
    }

    /** The verdicts. */
    public enum Kind {
        /** Nothing is to be done. */
        UP_TO_DATE("up to date"),
        /** We rolled the digest out, and what runs is still the old image: nothing more is done, but it is said. */
        STILL_OLD("still the old image"),
        /** The tag moved past what runs. */
        STALE("stale"),
        /** Its pods are still coming. */
        IN_PROGRESS("in progress"),
        /** Not decidable now. */
        UNRESOLVED("unresolved"),
        /** Somebody took our change back. */
        REJECTED("rejected"),
        /** Its tag is not followed. */
        NOT_WATCHED("not watched");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /**
         * The verdict in a few words, for tables.
         *
         * @return the words
         */
        public String words() {
            return words;
        }
    }
}
