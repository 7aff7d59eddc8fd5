package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.Optional;

/** What a registry says about a reference. */
public sealed interface Answer {
    /** The registry has not been asked yet. */
    record NotAsked() implements Answer {}

    /**
     * The registry could not be asked, or did not answer.
     *
     * @param reason the kind of failure
     * @param words what was being done and what went wrong, for people
     * @param since since when it has been failing
     * @param until the earliest time at which it is asked again, if it is left alone until then
     */
    record Failed(Deferral reason, String words, Instant since, Optional<Instant> until) implements Answer {
        /** A failure after which it is asked again in the next pass. */
        Failed(Deferral reason, String words, Instant since) {
            this(reason, words, since, Optional.empty());
        }
    }

    /**
     * The tag's digest. {@link TagWatch} makes these.
     *
     * @param digest the digest now
     * @param since since when the tag has had it, as far as we saw
     * @param asked when the request of the last answer was sent
     * @param passes in how many passes in a row it was seen
     * @param counts false if the tag had the digest before, and only one pass has seen it again
     * @param otherSeen when the tag was last seen with another digest that counted; empty if never
     */
    record Resolved(
            Digest digest, Instant since, Instant asked, int passes, boolean counts, Optional<Instant> otherSeen)
            implements Answer {}
}
