package io.urunner.agent.rollback;

import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The digests that a tag had, the newest first: from the store, and what only the cluster remembers. Immutable.
 *
 * @param entries the stays of digests
 */
record TagHistory(List<Entry> entries) {
    private static final int CANDIDATES = 5;

    TagHistory {
        entries = entries.stream()
                .sorted(Comparator.comparing(Entry::at).reversed())
                .toList();
    }

    /**
     * A stay of a digest.
     *
     * @param at when it began at the latest
     * @param firstSeen when it was seen first; empty if only that it was there is known
     * @param lastSeen when it was seen last, if known
     */
    record Entry(
            String digest,
            Instant at,
            Optional<Instant> firstSeen,
            Optional<Instant> lastSeen,
            Optional<ImageLabels> labels) {
        static Entry of(TagDigest known) {
            return new Entry(
                    known.digest(),
                    known.firstSeen(),
                    Optional.of(known.firstSeen()),
                    Optional.of(known.lastSeen()),
                    known.labels());
        }

        static Entry seen(String digest, Instant at) {
            return new Entry(digest, at, Optional.of(at), Optional.empty(), Optional.empty());
        }

        static Entry before(String digest, Instant at) {
            return new Entry(digest, at.minusMillis(1), Optional.empty(), Optional.empty(), Optional.empty());
        }
    }

    static TagHistory of(List<TagDigest> known) {
        return new TagHistory(known.stream().map(Entry::of).toList());
    }

    /** With the digests that only the annotations of a workload's past templates tell of. */
    TagHistory with(List<PastTemplate> templates, Followed container) {
        List<Entry> all = new ArrayList<>(entries);
        Set<String> known = digests();
        String name = container.container().name();
        String reference = container.reference().toString();
        Instant previous = Instant.EPOCH;
        for (PastTemplate template : templates) {
            // The cluster's times are whole seconds, the order is the revisions'.
            Instant at = template.created().isAfter(previous) ? template.created() : previous.plusMillis(2);
            previous = at;
            Optional<ContainerState> state = Optional.ofNullable(
                            template.annotations().get(Workload.STATE))
                    .flatMap(WorkloadState::parse)
                    .map(written -> written.containers().get(name))
                    .filter(written -> written.reference().equals(reference));
            // What was replaced is older than what replaced it, which the store may have seen earlier than the cluster
            // tells.
            Instant bound = state.flatMap(ContainerState::acted)
                    .flatMap(this::firstSeen)
                    .filter(seen -> seen.isBefore(at))
                    .orElse(at);
            state.ifPresent(written -> written.replaced().stream()
                    .filter(known::add)
                    .forEach(digest -> all.add(Entry.before(digest, bound))));
            // A rollback's template tells of a digest that its tag did not have then.
            if (state.flatMap(ContainerState::originalImage).isEmpty()
                    || state.flatMap(ContainerState::rejected).isEmpty()) {
                Optional.ofNullable(template.templateAnnotations().get(Workload.DIGESTS))
                        .flatMap(DigestsAnnotation::parse)
                        .flatMap(acted -> acted.digest(name, reference))
                        .filter(known::add)
                        .ifPresent(digest -> all.add(Entry.seen(digest, at)));
            }
        }
        return new TagHistory(all);
    }

    private Optional<Instant> firstSeen(String digest) {
        return entries.stream()
                .filter(entry -> entry.digest().equals(digest))
                .map(Entry::at)
                .min(Comparator.naturalOrder());
    }

    /** With the digest that the tag has now; where that is the newest one already, this is the same. */
    TagHistory withNow(String digest, Instant now) {
        if (!entries.isEmpty() && entries.get(0).digest().equals(digest)) {
            return this;
        }
        List<Entry> all = new ArrayList<>(entries);
        all.add(Entry.seen(digest, now));
        return new TagHistory(all);
    }

    /** With digests that run, if nothing older than the newest is known. */
    TagHistory withRunning(Set<String> running, Instant now) {
        if (digests().size() > 1) {
            return this;
        }
        List<Entry> all = new ArrayList<>(entries);
        running.stream()
                .filter(digest -> !digests().contains(digest))
                .forEach(digest -> all.add(Entry.before(
                        digest, entries.isEmpty() ? now : entries.get(0).at())));
        return new TagHistory(all);
    }

    Set<String> digests() {
        Set<String> digests = new HashSet<>();
        entries.forEach(entry -> digests.add(entry.digest()));
        return digests;
    }

    /** A digest by its beginning; where none begins so, the goal stays, which leads nowhere. */
    Goal whole(Goal.Beginning goal) throws RefusedException {
        List<String> found = digests().stream()
                .filter(digest -> digest.startsWith(goal.beginning()))
                .sorted()
                .toList();
        if (found.size() > 1) {
            throw RefusedException.wronglyAsked("several digests begin with " + goal + ": "
                    + found.stream().limit(CANDIDATES).collect(Collectors.joining(", ")) + "; write more of the one");
        }
        return found.isEmpty() ? goal : new Goal.Exactly(found.get(0));
    }

    /** The digest that is asked for; steps are counted from another one. */
    Optional<String> find(Goal goal, String from) {
        if (goal instanceof Goal.Exactly exactly) {
            return Optional.of(exactly.digest());
        } else if (goal instanceof Goal.At at) {
            // Times are shown in whole seconds: whoever repeats one means what began in that second.
            boolean whole = at.time().truncatedTo(ChronoUnit.SECONDS).equals(at.time());
            return entries.stream()
                    .filter(entry ->
                            !(whole ? entry.at().truncatedTo(ChronoUnit.SECONDS) : entry.at()).isAfter(at.time()))
                    .map(Entry::digest)
                    .findFirst();
        }
        return goal instanceof Goal.Back back ? back(from, back.steps()) : Optional.empty();
    }

    /** The n-th digest before another one, each counted once at its last stay. */
    private Optional<String> back(String from, int steps) {
        List<String> once = entries.stream().map(Entry::digest).distinct().toList();
        int at = once.indexOf(from) + steps;
        return once.contains(from) && at < once.size() ? Optional.of(once.get(at)) : Optional.empty();
    }
}
