package io.urunner.agent.app.rollback;

import io.urunner.agent.plan.Brief;
import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The digests that a tag had, newest first: from the store, and what only the cluster remembers. Immutable.
 *
 * @param entries the stays of digests
 * @param failures by digest how its rollout failed at the requested workload
 */
record TagHistory(List<Entry> entries, Map<String, Failure> failures) {
    private static final int CANDIDATES = 5;
    /** How a rollout ended, in the words of the store. */
    static final String FAILED = new Outcome.Failed("", false).name();

    static final String SUCCEEDED = new Outcome.Succeeded("").name();

    TagHistory {
        failures = Map.copyOf(failures);
        entries = entries.stream()
                .sorted(Comparator.comparing(Entry::at).reversed())
                .toList();
    }

    /**
     * A stay of a digest.
     *
     * @param at the latest possible time at which it began
     * @param firstSeen when it was first seen; empty if that is unknown
     * @param lastSeen when it was last seen, if known
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

    /**
     * How a digest failed.
     *
     * @param when when, if known
     * @param how how, in words; empty text if unknown
     */
    record Failure(Optional<Instant> when, String how) {
        /** For example {@code failed here at 2026-03-01T12:00:00Z (it crashed)}. */
        @Override
        public String toString() {
            return brief() + (how.isEmpty() ? "" : " (" + how + ")");
        }

        String brief() {
            return "failed here" + when.map(time -> " at " + Phrases.time(time)).orElse("");
        }
    }

    static TagHistory of(List<TagDigest> known) {
        return new TagHistory(known.stream().map(Entry::of).toList(), Map.of());
    }

    /** With the digests that are only known from the annotations of a workload's past templates. */
    TagHistory with(List<PastTemplate> templates, Followed container) {
        List<Entry> all = new ArrayList<>(entries);
        Map<String, Failure> failed = new HashMap<>(failures);
        Set<String> known = digests();
        String name = container.container().name();
        String reference = container.reference().toString();
        Instant previous = Instant.EPOCH;
        for (PastTemplate template : templates) {
            // The cluster's times are whole seconds; the order is that of the revisions.
            Instant at = template.created().isAfter(previous) ? template.created() : previous.plusMillis(2);
            previous = at;
            Optional<ContainerState> state = state(template, container);
            state.flatMap(ContainerState::acted).ifPresent(failed::remove);
            state.ifPresent(written -> written.failed()
                    .ifPresent(digest -> failed.put(
                            digest,
                            new Failure(
                                    written.acted().equals(written.failed()) ? written.actedAt() : Optional.of(at),
                                    written.failure().orElse("")))));
            // The replaced digest is older than the one that replaced it, which the store may have seen earlier than
            // the cluster says.
            Instant bound = state.flatMap(ContainerState::acted)
                    .flatMap(this::firstSeen)
                    .filter(seen -> seen.isBefore(at))
                    .orElse(at);
            state.ifPresent(written -> written.replaced().stream()
                    .filter(known::add)
                    .forEach(digest -> all.add(Entry.before(digest, bound))));
            // A rollback's template names a digest that its tag did not have then.
            if (state.flatMap(ContainerState::originalImage).isEmpty()
                    || state.flatMap(ContainerState::rejected).isEmpty()) {
                Optional.ofNullable(template.templateAnnotations().get(Workload.DIGESTS))
                        .flatMap(DigestsAnnotation::parse)
                        .flatMap(acted -> acted.digest(name, reference))
                        .filter(known::add)
                        .ifPresent(digest -> all.add(Entry.seen(digest, at)));
            }
        }
        return new TagHistory(all, failed);
    }

    /** The state of a container at the time when a template was the workload's current one. */
    static Optional<ContainerState> state(PastTemplate template, Followed container) {
        return Optional.ofNullable(template.annotations().get(Workload.STATE))
                .flatMap(WorkloadState::parse)
                .map(written -> written.containers().get(container.container().name()))
                .filter(written ->
                        written.reference().equals(container.reference().toString()));
    }

    /** With the failures that the workload's rollouts, newest first, and the workload itself report. */
    TagHistory with(Followed container, List<RolloutRecord> rollouts) {
        Map<String, Failure> failed = new HashMap<>(failures);
        Set<String> decided = new HashSet<>();
        for (RolloutRecord rollout : rollouts) {
            boolean bad = rollout.outcome().equals(Optional.of(FAILED));
            if (bad || rollout.outcome().equals(Optional.of(SUCCEEDED))) {
                brought(rollout, container).filter(decided::add).ifPresent(digest -> {
                    if (bad) {
                        failed.put(
                                digest,
                                new Failure(
                                        rollout.finished(), rollout.message().orElse("")));
                    } else {
                        failed.remove(digest);
                    }
                });
            }
        }
        container
                .failed()
                .ifPresent(digest -> failed.putIfAbsent(
                        digest,
                        new Failure(Optional.empty(), container.failure().orElse(""))));
        return new TagHistory(entries, failed);
    }

    /** The digest that a rollout brought to a container. */
    static Optional<String> brought(RolloutRecord rollout, Followed container) {
        return rollout.changes().stream()
                .filter(change -> change.container()
                                .equals(container.container().name())
                        && change.reference().equals(container.reference().toString()))
                .map(DigestStore.Change::to)
                .findFirst();
    }

    private Optional<Instant> firstSeen(String digest) {
        return entries.stream()
                .filter(entry -> entry.digest().equals(digest))
                .map(Entry::at)
                .min(Comparator.naturalOrder());
    }

    /** With the digest that the tag has now; unchanged if that is already the newest one. */
    TagHistory withNow(String digest, Instant now) {
        if (!entries.isEmpty() && entries.get(0).digest().equals(digest)) {
            return this;
        }
        List<Entry> all = new ArrayList<>(entries);
        all.add(Entry.seen(digest, now));
        return new TagHistory(all, failures);
    }

    /** With the running digests, if nothing older than the newest is known. */
    TagHistory withRunning(Set<String> running, Instant now) {
        if (digests().size() > 1) {
            return this;
        }
        List<Entry> all = new ArrayList<>(entries);
        running.stream()
                .filter(digest -> !digests().contains(digest))
                .forEach(digest -> all.add(Entry.before(
                        digest, entries.isEmpty() ? now : entries.get(0).at())));
        return new TagHistory(all, failures);
    }

    Set<String> digests() {
        Set<String> digests = new HashSet<>();
        entries.forEach(entry -> digests.add(entry.digest()));
        return digests;
    }

    /** A digest by its beginning; if none begins with it, the goal is unchanged, and leads nowhere. */
    Goal whole(Goal.Beginning goal) throws RefusedException {
        List<String> found = digests().stream()
                .filter(digest -> digest.startsWith(goal.beginning()))
                .sorted()
                .toList();
        if (found.size() > 1) {
            throw RefusedException.wronglyAsked("several digests begin with " + goal + ": "
                    + found.stream().limit(CANDIDATES).collect(Collectors.joining(", ")) + "; give more digits");
        }
        return found.isEmpty() ? goal : new Goal.Exactly(found.get(0));
    }

    /** The requested digest; steps are counted from another one, skipping those that failed. */
    Optional<String> find(Goal goal, String from) {
        if (goal instanceof Goal.Exactly exactly) {
            return Optional.of(exactly.digest());
        } else if (goal instanceof Goal.At at) {
            // Times are shown in whole seconds: a user who repeats one means the digest that began in that second.
            boolean whole = at.time().truncatedTo(ChronoUnit.SECONDS).equals(at.time());
            return entries.stream()
                    .filter(entry ->
                            !(whole ? entry.at().truncatedTo(ChronoUnit.SECONDS) : entry.at()).isAfter(at.time()))
                    .map(Entry::digest)
                    .findFirst();
        }
        return goal instanceof Goal.Back back ? back(from, back.steps()) : Optional.empty();
    }

    /** Describes the failed digests between two others, newest first. */
    List<String> passedOver(String from, String to) {
        return entries.stream()
                .map(Entry::digest)
                .distinct()
                .dropWhile(digest -> !digest.equals(from))
                .takeWhile(digest -> !digest.equals(to))
                .skip(1)
                .flatMap(digest -> Optional.ofNullable(failures.get(digest))
                        .map(failure -> Brief.digest(digest) + ", which " + failure.brief())
                        .stream())
                .toList();
    }

    /** The nth digest before another one, each counted once at its last stay. */
    private Optional<String> back(String from, int steps) {
        List<String> counted = entries.stream()
                .map(Entry::digest)
                .distinct()
                .filter(digest -> digest.equals(from) || !failures.containsKey(digest))
                .toList();
        int at = counted.indexOf(from) + steps;
        return counted.contains(from) && at < counted.size() ? Optional.of(counted.get(at)) : Optional.empty();
    }
}
