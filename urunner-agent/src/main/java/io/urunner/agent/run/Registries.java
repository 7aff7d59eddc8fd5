package io.urunner.agent.run;

import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.TagWatch;
import io.urunner.agent.run.WatchedRegistry.Allowance;
import io.urunner.registry.Digest;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The watched registries: what each reference resolves to, and what digests stand for. On the loop. */
final class Registries {
    private static final Logger LOG = LoggerFactory.getLogger(Registries.class);

    /** So many digests of a tag's history are enough to know one that comes back. */
    private static final int HISTORY = 50;

    private final List<Watched> registries;
    private final Map<ImageReference, Reference> references = new HashMap<>();
    /** What is known of references that were used less than an interval ago: who comes back need not ask again. */
    private final Map<ImageReference, Reference> gone = new HashMap<>();

    private final Map<RegistryPrefix, Checked> checked = new HashMap<>();
    private final Map<RegistryPrefix, List<Consumer<Optional<RegistryException>>>> checking = new HashMap<>();
    private final Contents contents;
    private final LabelFetches labels;
    private final Loop loop;
    private final InstantSource clock;
    private final Executor workers;
    private final Memory memory;
    private final StateLog problems;
    private final AgentListener listener;
    private final Events events;

    /** Told on the loop. */
    interface Events {
        /** What is known of a reference may be other than before, and a pass that asked for it is through with it. */
        void changed(ImageReference reference);

        /** A reference has another digest than before. */
        void moved(ImageReference reference, String from, String to);

        /** A pass over a registry is over. */
        void passed(boolean whole);
    }

    /** When people last wanted to know whether a registry answers, and what was wrong. */
    private record Checked(Instant at, Optional<RegistryException> trouble) {}

    private static final class Reference {
        private TagWatch watch = TagWatch.unknown();
        private boolean historyKnown;
        private Optional<Resolution.Problem> problem = Optional.empty();
        private Instant failingSince = Instant.MIN;
        private Loop.Timer forget = () -> {};
        /** When the last digest came. */
        private Instant answered = Instant.EPOCH;
    }

    Registries(
            Collection<WatchedRegistry> registries,
            Loop loop,
            InstantSource clock,
            Executor workers,
            Memory memory,
            StateLog problems,
            AgentListener listener,
            Events events) {
        this.loop = loop;
        this.clock = clock;
        this.workers = workers;
        this.memory = memory;
        this.problems = problems;
        this.listener = listener;
        this.events = events;
        contents = new Contents(
                loop,
                registries.stream()
                        .map(WatchedRegistry::interval)
                        .max(Comparator.naturalOrder())
                        .orElse(Duration.ZERO),
                events::changed);
        labels = new LabelFetches(memory, contents);
        // Of two prefixes that match, the longer one says more.
        this.registries = registries.stream()
                .sorted(Comparator.comparingInt(
                        (WatchedRegistry registry) -> -registry.prefix().path().length()))
                .map(this::watched)
                .toList();
    }

    private Watched watched(WatchedRegistry registry) {
        return new Watched(
                registry,
                new HostQueue(
                        registry.prefix().toString(),
                        registry.interval(),
                        registry.concurrency(),
                        loop,
                        clock,
                        new Port(registry)));
    }

    void start() {
        registries.forEach(watched -> watched.queue().start());
    }

    void stop() {
        registries.forEach(watched -> watched.queue().stop());
    }

    boolean watches(ImageReference reference) {
        return find(reference).isPresent();
    }

    private Optional<Watched> find(ImageReference reference) {
        return registries.stream()
                .filter(watched -> watched.registry().prefix().matches(reference))
                .findFirst();
    }

    void track(ImageReference reference) {
        Reference before = gone.remove(reference);
        Optional.ofNullable(before).ifPresent(back -> back.forget.cancel());
        references.putIfAbsent(reference, before == null ? new Reference() : before);
        find(reference).ifPresent(watched -> watched.queue().track(reference));
    }

    void untrack(ImageReference reference) {
        Reference left = references.remove(reference);
        problems.forget(subject(reference)::equals);
        find(reference).ifPresent(watched -> {
            watched.queue().untrack(reference);
            if (left != null) {
                gone.put(reference, left);
                left.forget = loop.after(watched.registry().interval(), () -> gone.remove(reference));
            }
        });
    }

    /** Asks for a reference before its turn, at most once per interval. */
    void look(ImageReference reference) {
        find(reference).ifPresent(watched -> watched.queue().look(reference));
    }

    /** Asks for a reference as soon as its registry may be asked for anything. */
    void lookNext(ImageReference reference) {
        find(reference).ifPresent(watched -> watched.queue().lookNext(reference));
    }

    /** Asks for everything now, except at registries that want to be left alone. */
    void askAnew() {
        registries.forEach(watched -> watched.queue().askAnew());
    }

    /** What is asked for. */
    Set<ImageReference> references() {
        return references.keySet();
    }

    /** Whether a pass is about to bring an answer for this reference. */
    boolean pending(ImageReference reference) {
        return find(reference)
                .map(watched -> watched.queue().pending(reference))
                .orElse(false);
    }

    /** What the registry says. Where a host that fails was not asked for a reference again, its failure is the answer. */
    Answer answer(ImageReference reference) {
        Reference known = references.get(reference);
        if (known == null) {
            return new Answer.NotAsked();
        }
        if (known.problem.isPresent()) {
            Resolution.Problem problem = known.problem.get();
            return new Answer.Failed(problem.kind(), problem.message(), known.failingSince);
        }
        Answer answer = known.watch.answer();
        Optional<HostQueue> failing = find(reference)
                .map(Watched::queue)
                .filter(queue -> queue.problem().isPresent());
        return failing.isPresent() && (!(answer instanceof Answer.Resolved resolved) || tooOld(reference, resolved))
                ? new Answer.Failed(
                        failing.get().problem().get().kind(),
                        failing.get().problem().get().message(),
                        failing.get().failingSince().orElseGet(clock::instant))
                : answer;
    }

    /** Since when a reference has the digest that it has, as far as was seen; empty while that is not known. */
    Optional<Instant> standsSince(String reference) {
        return answer(ImageReference.parse(reference)) instanceof Answer.Resolved resolved
                ? Optional.of(resolved.since())
                : Optional.empty();
    }

    /**
     * Whether an answer is too old to act on: a decision older than one interval is made again. Where a limit or the
     * registry's own pace does not let all be asked in an interval, an answer is good until it is the reference's turn.
     */
    boolean tooOld(ImageReference reference, Answer.Resolved answer) {
        Optional<Watched> watched = find(reference);
        Duration interval = watched.map(one -> one.registry().interval()).orElse(Duration.ZERO);
        Duration round = watched.map(one -> one.queue().round()).orElse(Duration.ZERO);
        // A pass takes its time: half an interval more, and a moment for short ones.
        Duration most = Pace.max(interval, round).multipliedBy(3).dividedBy(2).plusSeconds(2);
        Instant since = Optional.ofNullable(references.get(reference))
                .map(known -> known.answered)
                .orElse(answer.asked());
        return since.plus(most).isBefore(clock.instant());
    }

    Expansion expansion(ImageDigest key) {
        try {
            ImageReference reference = ImageReference.parse(key.reference());
            return watches(reference)
                    ? contents.expansion(reference, Digest.parse(key.digest()))
                    : new Expansion.Unavailable(reference.registry() + " is not watched");
        } catch (IllegalArgumentException e) {
            return new Expansion.Unavailable(String.valueOf(e.getMessage())); // somebody wrote it into an annotation
        }
    }

    /** Fetches what digests stand for; when that is known, or cannot be had for now, the reference has changed. */
    void fetch(Collection<ImageDigest> keys) {
        for (ImageDigest key : keys) {
            ImageReference reference = ImageReference.parse(key.reference());
            find(reference).ifPresent(watched -> contents.fetch(reference, Digest.parse(key.digest()), watched));
        }
    }

    /**
     * Asks a registry whether it answers, for people; once per interval, whose answer holds until then.
     *
     * @param reference what to ask for; empty for the root of its API
     * @param told told on the loop what is wrong, if something is
     */
    void check(RegistryPrefix prefix, Optional<ImageReference> reference, Consumer<Optional<RegistryException>> told) {
        Watched watched = registries.stream()
                .filter(one -> one.registry().prefix().equals(prefix))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(prefix + " is not watched"));
        Checked before = checked.get(prefix);
        if (before != null && before.at.plus(watched.registry().interval()).isAfter(clock.instant())) {
            told.accept(before.trouble);
            return;
        }
        List<Consumer<Optional<RegistryException>>> others = checking.get(prefix);
        if (others != null) {
            others.add(told);
            return;
        }
        checking.put(prefix, new ArrayList<>(List.of(told)));
        WatchedRegistry.Source source = watched.registry().source();
        watched.queue().send(new Requests.Request<Optional<RegistryException>>() {
            @Override
            public String what() {
                return "a check of " + prefix;
            }

            @Override
            public Optional<RegistryException> send() throws InterruptedException {
                try {
                    if (reference.isPresent()) {
                        source.resolve(reference.get());
                    } else {
                        source.ping();
                    }
                    return Optional.empty();
                } catch (RegistryException e) {
                    return Optional.of(e);
                }
            }

            @Override
            public void answered(Optional<RegistryException> trouble) {
                checked.put(prefix, new Checked(clock.instant(), trouble));
                tell(trouble);
            }

            @Override
            public void failed(String words) {
                tell(Optional.of(new RateLimitedException(
                        FailedRequest.of("check", prefix.registry()), words, clock.instant(), false, null)));
            }

            private void tell(Optional<RegistryException> trouble) {
                Optional.ofNullable(checking.remove(prefix))
                        .ifPresent(waiting -> waiting.forEach(one -> one.accept(trouble)));
            }

            @Override
            public boolean evenWhileFailing() {
                return true;
            }
        });
    }

    /** Whether a pass runs, or content is being fetched. */
    boolean busy() {
        return registries.stream().anyMatch(watched -> watched.queue().running()) || contents.busy();
    }

    /** When a reference is asked next; empty while it is being asked. */
    Optional<Instant> nextLook(ImageReference reference) {
        return find(reference).flatMap(watched -> watched.queue().status().nextPass());
    }

    /** Whether every registry was asked for all of its references once. */
    boolean passed() {
        return registries.stream().allMatch(watched -> watched.queue().status().passes() > 0);
    }

    List<HostStatus> status() {
        List<HostStatus> all = new ArrayList<>();
        registries.forEach(watched -> all.add(watched.queue().status()));
        all.sort(Comparator.comparing(HostStatus::host));
        return all;
    }

    private static String subject(ImageReference reference) {
        return "image " + reference;
    }

    /** What the queue of one registry asks, and learns. */
    private final class Port implements HostQueue.Port {
        private final WatchedRegistry registry;
        private final Map<ImageReference, Resolution.Problem> unreachable =
                new TreeMap<>(Comparator.comparing(ImageReference::toString));

        Port(WatchedRegistry registry) {
            this.registry = registry;
        }

        @Override
        public void ask(ImageReference reference, Consumer<Resolution> answer) {
            boolean historyKnown = Optional.ofNullable(references.get(reference))
                    .map(known -> known.historyKnown)
                    .orElse(true);
            Instant asked = clock.instant();
            long started = loop.nanos();
            workers.execute(() -> {
                Optional<List<TagDigest>> history = Optional.empty();
                Resolution outcome = defect("it was not asked");
                try {
                    history = historyKnown ? history : memory.history(reference.toString(), HISTORY);
                    outcome = resolve(reference);
                } finally {
                    Optional<List<TagDigest>> past = history;
                    Resolution now = outcome;
                    loop.execute(() -> {
                        try {
                            past.ifPresent(digests -> known(reference, digests));
                            learn(reference, now, asked);
                            listener.resolved(
                                    registry.prefix().toString(),
                                    reference.toString(),
                                    now.word(),
                                    Duration.ofNanos(loop.nanos() - started));
                        } finally {
                            answer.accept(now);
                        }
                    });
                }
            });
        }

        private static Resolution defect(String what) {
            return new Resolution.Unreachable(
                    new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "a defect of the agent: " + what));
        }

        private Resolution resolve(ImageReference reference) {
            try {
                WatchedRegistry.Answer answer = registry.source().resolve(reference);
                return new Resolution.Found(answer.digest().toString(), answer.mediaType());
            } catch (RegistryException e) {
                return e instanceof UnauthorizedException && !registry.source().hasCredential(reference)
                        ? Resolution.noCredential(e)
                        : Resolution.of(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Resolution.Unreachable(
                        new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "the agent ends"));
            } catch (RuntimeException e) {
                LOG.error("{} could not be resolved; this is a defect", reference, e);
                return defect(e.toString());
            }
        }

        private void known(ImageReference reference, List<TagDigest> history) {
            Reference known = references.get(reference);
            if (known != null && !known.historyKnown) {
                known.historyKnown = true;
                if (known.watch.counted().isEmpty()) {
                    known.watch = TagWatch.of(history.stream()
                            .map(past -> new TagWatch.Past(past.digest(), past.firstSeen(), past.lastSeen()))
                            .toList());
                }
            }
        }

        private void learn(ImageReference reference, Resolution outcome, Instant asked) {
            Reference known = references.getOrDefault(reference, gone.get(reference));
            if (known == null) {
                return;
            }
            if (outcome instanceof Resolution.Found found) {
                Optional<String> before = known.watch.counted().map(TagWatch.Past::digest);
                known.watch = known.watch.see(found.digest(), asked);
                known.answered = clock.instant();
                known.problem = Optional.empty();
                problems.well(subject(reference));
                Optional<String> now = known.watch.counted().map(TagWatch.Past::digest);
                if (now.equals(Optional.of(found.digest()))) {
                    memory.seen(
                            new Sighting(reference.toString(), found.digest(), Optional.of(found.mediaType()), asked));
                }
                if (before.isPresent() && !before.equals(now)) {
                    LOG.atInfo()
                            .addKeyValue(LogField.EVENT, "moved")
                            .addKeyValue(LogField.REFERENCE, reference)
                            .addKeyValue(LogField.FROM, before.get())
                            .addKeyValue(LogField.TO, found.digest())
                            .log("{} moved from {} to {}", reference, before.get(), found.digest());
                    events.moved(reference, before.get(), found.digest());
                    // Later: the host's queue does not know of this answer yet.
                    loop.execute(() ->
                            find(reference).ifPresent(watched -> labels.moved(watched, reference, found.digest())));
                }
            } else if (outcome.trouble().isPresent() && references.containsKey(reference)) {
                Resolution.Problem problem = outcome.trouble().get();
                if (known.problem.isEmpty()) {
                    known.failingSince = asked;
                }
                known.problem = Optional.of(problem);
                if (outcome instanceof Resolution.Refused) {
                    problems.problem(subject(reference), problem);
                } else if (!(outcome instanceof Resolution.RateLimited)) {
                    unreachable.put(reference, problem);
                }
            }
        }

        @Override
        public void elsewhere(Runnable task) {
            workers.execute(task);
        }

        @Override
        public void runaway(String what) {
            problems.problem(
                    "requests to " + registry.prefix(),
                    what,
                    what + " was asked for twice within an interval; this is a defect of the agent, and was refused");
            listener.stopped(AgentListener.Runaway.REQUEST);
        }

        @Override
        public Optional<Allowance> allowance() {
            return registry.source().allowance();
        }

        @Override
        public void answered(ImageReference reference, Resolution outcome) {
            events.changed(reference);
        }

        @Override
        public void passed(HostQueue queue, boolean whole, Duration took, Optional<Resolution.Problem> problem) {
            String subject = "registry " + queue.host();
            if (problem.isPresent()) {
                problems.problem(subject, problem.get());
            } else {
                problems.well(subject);
                unreachable.forEach((reference, trouble) -> problems.problem(subject(reference), trouble));
            }
            unreachable.clear();
            if (whole) {
                listener.passed(queue.host(), took);
            }
            events.passed(whole);
        }
    }
}
