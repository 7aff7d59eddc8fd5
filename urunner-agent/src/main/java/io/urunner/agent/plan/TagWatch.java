package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What was seen of one tag, pass by pass. A digest that the tag never had counts at once; one that it had before counts
 * once two passes in a row have seen it, because replicated registries answer inconsistently. Immutable.
 */
public final class TagWatch {
    private static final int ENOUGH = 2;
    private static final int REMEMBERED = 100;

    private final Optional<Sight> standing;
    private final Optional<Sight> candidate;
    private final List<Digest> had;
    private final Optional<Instant> otherSeen;

    private TagWatch(
            Optional<Sight> standing, Optional<Sight> candidate, List<Digest> had, Optional<Instant> otherSeen) {
        this.standing = standing;
        this.candidate = candidate;
        this.had = had;
        this.otherSeen = otherSeen;
    }

    /** Returns a tag of which nothing is known. */
    public static TagWatch unknown() {
        return new TagWatch(Optional.empty(), Optional.empty(), List.of(), Optional.empty());
    }

    /**
     * Returns a tag whose history is known.
     *
     * @param history the digests that counted, the last one first
     * @return the watch
     */
    public static TagWatch of(List<Sight> history) {
        if (history.isEmpty()) {
            return unknown();
        }
        Sight newest = history.get(0);
        return new TagWatch(
                Optional.of(new Sight(newest.digest, newest.since, newest.last, 0)),
                Optional.empty(),
                history.stream().map(Sight::digest).toList(),
                history.stream().skip(1).map(Sight::last).max(Instant::compareTo));
    }

    /**
     * Returns the watch after one more answer of the registry.
     *
     * @param digest the digest that it named
     * @param asked when the request was sent
     * @return the watch
     */
    public TagWatch see(Digest digest, Instant asked) {
        if (standing.isEmpty()) {
            return counts(new Sight(digest, asked, asked, 1), otherSeen);
        }
        Sight stands = standing.get();
        if (stands.digest.equals(digest)) {
            Sight again = candidate.isPresent() ? new Sight(digest, stands.since, asked, 1) : stands.again(asked);
            return new TagWatch(Optional.of(again), Optional.empty(), had, otherSeen);
        }
        Sight next = candidate
                .filter(sight -> sight.digest.equals(digest))
                .map(sight -> sight.again(asked))
                .orElse(new Sight(digest, asked, asked, 1));
        return had.contains(digest) && next.passes < ENOUGH
                ? new TagWatch(standing, Optional.of(next), had, otherSeen)
                : counts(next, Optional.of(stands.last));
    }

    private TagWatch counts(Sight next, Optional<Instant> other) {
        List<Digest> digests = new ArrayList<>(had);
        digests.remove(next.digest);
        digests.add(0, next.digest);
        return new TagWatch(
                Optional.of(next),
                Optional.empty(),
                List.copyOf(digests.subList(0, Math.min(digests.size(), REMEMBERED))),
                other);
    }

    /**
     * Returns what the registry says now, for the planner.
     *
     * @return the answer; {@link Answer.NotAsked} until this agent has asked the registry
     */
    public Answer answer() {
        if (candidate.isPresent()) {
            return resolved(candidate.get(), false);
        }
        return standing.filter(sight -> sight.passes > 0)
                .<Answer>map(sight -> resolved(sight, true))
                .orElseGet(Answer.NotAsked::new);
    }

    private Answer.Resolved resolved(Sight sight, boolean counts) {
        return new Answer.Resolved(sight.digest, sight.since, sight.last, sight.passes, counts, otherSeen);
    }

    /**
     * Returns the digest that counts: this belongs in the history, but nothing that has yet to be confirmed.
     *
     * @return the digest, and when it was seen; empty if nothing is known
     */
    public Optional<Sight> counted() {
        return standing;
    }

    /**
     * A digest of a tag.
     *
     * @param digest the digest
     * @param since since when the tag has had it, as far as was seen
     * @param last when the last request that returned it was sent
     * @param passes in how many passes in a row this agent saw it
     */
    public record Sight(Digest digest, Instant since, Instant last, int passes) {
        Sight again(Instant asked) {
            return new Sight(digest, since, asked, passes + 1);
        }
    }
}
