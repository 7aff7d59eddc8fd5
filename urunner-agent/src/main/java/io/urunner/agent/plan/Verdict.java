package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.util.Optional;
import java.util.Set;

/**
 * What the rules say about one container, before the workload's policies are applied.
 *
 * @param container its name
 * @param reference its reference; empty if it is not tracked
 * @param digest the registry's digest now, if known
 * @param running the digests that the pods of the current revision report
 * @param old those of them that are known not to belong to the registry's digest
 * @param kind the verdict
 * @param cause for an unresolved container, the kind of reason
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
        /** There is nothing to do. */
        UP_TO_DATE("up to date"),
        /** We rolled the digest out, but the old image still runs: nothing more is done, but it is reported. */
        STILL_OLD("still the old image"),
        /** The tag moved past what runs. */
        STALE("stale"),
        /** Its pods are still starting. */
        IN_PROGRESS("in progress"),
        /** It cannot be decided now. */
        UNRESOLVED("unresolved"),
        /** Somebody reverted our change. */
        REJECTED("rejected"),
        /** Its tag is not followed. */
        NOT_WATCHED("not watched");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /**
         * Returns the verdict in a few words, for tables.
         *
         * @return the words
         */
        public String words() {
            return words;
        }
    }
}
