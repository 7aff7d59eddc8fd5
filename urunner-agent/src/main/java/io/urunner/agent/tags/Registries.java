package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Content;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.TagWatch;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import io.urunner.agent.text.Phrases;
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
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The watched registries: what each reference resolves to, and what digests stand for. On the loop. */
public final class Registries {
    private static final Logger LOG = LoggerFactory.getLogger(Registries.class);

    /** So many digests of a tag's history are enough to know one that comes back. */
    private static final int HISTORY = 50;

    /** What is private is asked without pull secrets at most so often. */
    private static final Duration REST = Duration.ofMinutes(10);

    /** What has nothing to do with what is shown to the registry. */
    private static final Set<Deferral> OF_THE_HOST =
            EnumSet.of(Deferral.RATE_LIMITED, Deferral.REGISTRY_UNREACHABLE, Deferral.REGISTRY_CONFUSED);

    /** What is told of the registry, once, and not of each reference. */
    private static final Set<Deferral> OF_THE_ASKER =
            EnumSet.of(Deferral.RATE_LIMITED, Deferral.CREDENTIAL_REJECTED, Deferral.REGISTRY_UNREACHABLE);

    private final List<Watched> registries;
    private final Map<ImageReference, Reference> references = new HashMap<>();
    /** What is known of references that were used less than an interval ago: who comes back need not ask again. */
    private final Map<ImageReference, Reference> gone = new HashMap<>();

    private final Map<Check, Checked> checked = new HashMap<>();
    private final Map<Check, List<Consumer<Optional<RegistryException>>>> checking = new HashMap<>();
    private final Contents contents;
    private final Labels labels;
    private final Loop loop;
    private final InstantSource clock;
    private final Executor workers;
    private final Memory memory;
    private final StateLog problems;
    private final AgentListener listener;
    private final Events events;

    /** Told on the loop. */
    public interface Events {
        /** What is known of a reference may be other than before, and a pass that asked for it is through with it. */
        void changed(ImageReference reference);

        /** A reference has another digest than before, for those whom the question is asked for. */
        void moved(Question question, Digest from, Digest to);

        /** A pass over a registry is over. */
        void passed(boolean whole);

        /** Whether all that there is in the cluster is known. */
        boolean seesAll();
    }

    /** What people want to know of a registry: whether it answers to a question; to any, if there is none. */
    private record Check(RegistryPrefix registry, Optional<Question> question) {
        @Override
        public String toString() {
            return "a check of " + registry
                    + question.map(one ->
                                    " for " + one.asker().at(one.reference().toString()))
                            .orElse("");
        }
    }

    /** When people last wanted to know that, and what was wrong. */
    private record Checked(long at, Optional<RegistryException> trouble) {}

    /** What is known of a reference that is used. */
    private static final class Reference {
        private final Known everybody = new Known();
        /** By whom it is asked for. */
        private final Map<Asker, Known> known = new HashMap<>(Map.of(Asker.EVERYBODY, everybody));
        /** Whether the registry does not tell everybody. */
        private boolean closed;

        private Loop.Timer forget = () -> {};

        Known of(Asker asker) {
            return known.getOrDefault(asker, everybody);
        }

        /** Who is asked about it for a namespace: itself, where not everybody may read it and it has pull secrets. */
        Asker asker(String namespace) {
            Asker own = Asker.of(namespace);
            Known apart = known.get(own);
            return apart != null && !apart.hasNoSecret ? own : Asker.EVERYBODY;
        }

        /** Why a namespace that is told what everybody is has no pull secret that could open it; or else nothing. */
        String withoutSecret(String namespace) {
            Known apart = known.get(Asker.of(namespace));
            if (apart == null
                    || !apart.hasNoSecret
                    || everybody
                            .problem
                            .filter(problem -> !OF_THE_HOST.contains(problem.kind()))
                            .isEmpty()) {
                return "";
            }
            return apart.problem.map(problem -> "; " + problem.message()).orElse("");
        }
    }

    /** What is known of a reference, with the credentials of an asker. */
    private static final class Known {
        private TagWatch watch = TagWatch.unknown();
        private boolean historyKnown;
        private Optional<Resolution.Problem> problem = Optional.empty();
        private Instant failingSince = Instant.MIN;
        /** When the last digest came. */
        private Instant answered = Instant.EPOCH;
        /** Whether the namespace has no pull secret for it. */
        private boolean hasNoSecret;
        /** Whether the last answer was not just the same trouble again. */
        private boolean news = true;

        boolean isFound() {
            return problem.isEmpty() && watch.answer() instanceof Answer.Resolved;
        }
    }

    public Registries(
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
        labels = new Labels(memory, contents);
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
                watched -> new HostQueue(
                        registry.prefix().toString(),
                        registry.interval(),
                        registry.concurrency(),
                        loop,
                        clock,
                        new Port(watched)));
    }

    public void start() {
        registries.forEach(watched -> watched.queue().start());
    }

    public void stop() {
        registries.forEach(watched -> watched.queue().stop());
    }

    public boolean watches(ImageReference reference) {
        return find(reference).isPresent();
    }

    private Optional<Watched> find(ImageReference reference) {
        return registries.stream()
                .filter(watched -> watched.registry().prefix().matches(reference))
                .findFirst();
    }

    /** A namespace uses a reference from now on. */
    public void track(ImageReference reference, String namespace) {
        Reference known = references.get(reference);
        if (known == null) {
            known = Optional.ofNullable(gone.remove(reference)).orElseGet(Reference::new);
            known.forget.cancel();
            references.put(reference, known);
        }
        Reference used = known;
        find(reference).ifPresent(watched -> {
            watched.uses(reference, namespace);
            watched.queue().track(new Question(reference, Asker.EVERYBODY));
            used.closed |= watched.queue().isHeldBack(Asker.EVERYBODY);
            askApart(watched, reference, used, namespace);
            askEverybodyIfOneNeeds(watched, new Question(reference, Asker.EVERYBODY), used);
        });
    }

    /** A namespace does not use a reference any more. */
    public void untrack(ImageReference reference, String namespace) {
        Reference left = references.get(reference);
        find(reference).ifPresent(watched -> {
            boolean nobody = watched.leaves(reference, namespace);
            if (left != null) {
                askNoMore(watched, reference, left, Asker.of(namespace));
                if (nobody) {
                    watched.queue().untrack(new Question(reference, Asker.EVERYBODY));
                    references.remove(reference);
                    problems.forget(subject(reference)::equals);
                    gone.put(reference, left);
                    left.forget = loop.after(watched.registry().interval(), () -> gone.remove(reference));
                }
            }
        });
    }

    /**
     * Asks with the pull secrets of a namespace, where the registry does not tell everybody. What is public costs one
     * question, whoever uses it, and nobody's password is shown for it.
     */
    private void askApart(Watched watched, ImageReference reference, Reference known, String namespace) {
        Asker asker = Asker.of(namespace);
        if (known.closed && !known.known.containsKey(asker) && watched.hasSource(namespace)) {
            known.known.put(asker, new Known());
            watched.queue().track(new Question(reference, asker));
        }
    }

    /** Who has no pull secret is told what everybody is: that is asked in each pass then. */
    private void askEverybodyIfOneNeeds(Watched watched, Question question, Reference all) {
        boolean needed = watched.users(question.reference()).stream()
                .map(all::asker)
                .anyMatch(
                        asker -> asker.equals(Asker.EVERYBODY) || !all.of(asker).isFound());
        if (needed) {
            watched.queue().rest(question, Duration.ZERO);
        }
    }

    /** Where a registry wants to be left alone by those without a secret, those who have one go on. */
    private void askAllApart(Watched watched) {
        for (Map.Entry<ImageReference, Reference> entry : Map.copyOf(references).entrySet()) {
            if (find(entry.getKey()).filter(watched::equals).isPresent()) {
                entry.getValue().closed = true;
                watched.users(entry.getKey())
                        .forEach(namespace -> askApart(watched, entry.getKey(), entry.getValue(), namespace));
            }
        }
    }

    private void askNoMore(Watched watched, ImageReference reference, Reference known, Asker asker) {
        if (known.known.remove(asker) != null) {
            watched.queue().untrack(new Question(reference, asker));
            problems.forget(subject(new Question(reference, asker))::equals);
        }
    }

    /** Asks for a reference before its turn, at most once per interval. */
    public void look(ImageReference reference) {
        questions(reference, (queue, question) -> queue.look(question));
    }

    /** Asks for a reference as soon as its registry may be asked for anything. */
    void lookNext(ImageReference reference) {
        questions(reference, (queue, question) -> queue.lookNext(question));
    }

    private void questions(ImageReference reference, BiConsumer<HostQueue, Question> ask) {
        Reference known = references.get(reference);
        if (known != null) {
            boolean open = known.everybody.isFound() || known.known.size() == 1;
            find(reference)
                    .ifPresent(watched -> List.copyOf(known.known.keySet()).stream()
                            .filter(asker -> open || !asker.equals(Asker.EVERYBODY))
                            .forEach(asker -> ask.accept(watched.queue(), new Question(reference, asker))));
        }
    }

    /** Asks for everything now, except at registries that want to be left alone. */
    public void askAnew() {
        registries.forEach(watched -> watched.queue().askAnew());
    }

    /** What is asked for. */
    Set<ImageReference> references() {
        return references.keySet();
    }

    /** Whether an answer about this reference is on its way for a namespace, or what belongs to it. */
    public boolean pending(ImageReference reference, String namespace) {
        Question question = question(reference, namespace);
        return find(reference)
                        .filter(watched -> watched.queue().pending(question))
                        .isPresent()
                || contents.awaits(question);
    }

    /** What is asked for a namespace that uses a reference. */
    private Question question(ImageReference reference, String namespace) {
        Reference known = references.get(reference);
        return new Question(reference, known == null ? Asker.EVERYBODY : known.asker(namespace));
    }

    /**
     * What the registry says to a namespace. Where a host that fails was not asked for a reference again, its failure is
     * the answer.
     */
    public Answer answer(ImageReference reference, String namespace) {
        Reference all = references.get(reference);
        if (all == null) {
            return new Answer.NotAsked();
        }
        Asker asker = all.asker(namespace);
        Known known = all.of(asker);
        Optional<HostQueue> queue = find(reference).map(Watched::queue);
        Optional<Instant> until = queue.flatMap(one -> one.restsUntil(new Question(reference, asker)));
        if (known.problem.isPresent()) {
            Resolution.Problem problem = known.problem.get();
            return new Answer.Failed(
                    problem.kind(), problem.message() + all.withoutSecret(namespace), known.failingSince, until);
        }
        Answer answer = known.watch.answer();
        boolean resolved = answer instanceof Answer.Resolved;
        if (resolved && !tooOld(reference, namespace)) {
            return answer;
        }
        Optional<Resolution.Problem> failing = queue.flatMap(one -> one.problem(asker));
        if (failing.isPresent()) {
            return new Answer.Failed(
                    failing.get().kind(),
                    failing.get().message(),
                    queue.flatMap(one -> one.failingSince(asker)).orElseGet(clock::instant),
                    until);
        }
        return queue.flatMap(one -> one.waits(asker))
                .filter(wait -> !resolved || wait.cause().isTrouble())
                .<Answer>map(
                        wait -> new Answer.Failed(wait.cause(), wait.why(), wait.since(), Optional.of(wait.until())))
                .orElse(answer);
    }

    /** Since when a reference has the digest that a namespace sees, as far as was seen; empty while that is not known. */
    public Optional<Instant> standsSince(ImageReference reference, String namespace) {
        return answer(reference, namespace) instanceof Answer.Resolved resolved
                ? Optional.of(resolved.since())
                : Optional.empty();
    }

    /** Since when a reference has the digests that those see who use it. */
    public List<Optional<Instant>> standsSince(ImageReference reference) {
        return find(reference).stream()
                .flatMap(watched -> watched.users(reference).stream())
                .map(namespace -> standsSince(reference, namespace))
                .toList();
    }

    /**
     * Whether an answer is too old to act on: a decision older than one interval is made again. Where a limit or the
     * registry's own pace does not let all be asked in an interval, an answer is good until it is the reference's turn.
     */
    public boolean tooOld(ImageReference reference, String namespace) {
        Optional<Watched> watched = find(reference);
        Duration most = watched.map(Registries::goodFor).orElse(Duration.ZERO);
        Instant since = Optional.ofNullable(references.get(reference))
                .map(known -> known.of(known.asker(namespace)).answered)
                .orElse(Instant.EPOCH);
        return since.plus(most).isBefore(clock.instant());
    }

    /** For how long an answer is good. A pass takes its time: half an interval more, and a moment for short ones. */
    private static Duration goodFor(Watched watched) {
        return Pace.max(watched.registry().interval(), watched.queue().round())
                .multipliedBy(3)
                .dividedBy(2)
                .plusSeconds(2);
    }

    /** What a digest stands for that an annotation names, as far as that is known. */
    public Content content(ImageDigest written, String namespace) {
        try {
            ImageReference image = written.parse();
            return content(image.withoutDigest().orElse(image), image.digest().orElseThrow(), namespace);
        } catch (IllegalArgumentException e) {
            return new Content.Unavailable(String.valueOf(e.getMessage()));
        }
    }

    /** What a digest of a reference stands for, as far as that is known. */
    public Content content(ImageReference reference, Digest digest, String namespace) {
        return watches(reference)
                ? contents.content(question(reference, namespace), digest)
                : new Content.Unavailable(reference.registry() + " is not watched");
    }

    /**
     * Reads what digests stand for; when that is known, or cannot be read for now, the reference has changed.
     *
     * @param images by tag and digest
     * @return whether to wait for that: not where it takes too long
     */
    public boolean fetch(Collection<ImageReference> images, String namespace) {
        boolean awaits = false;
        for (ImageReference image : images) {
            ImageReference reference = image.withoutDigest().orElse(image);
            Optional<Watched> watched = find(reference);
            if (watched.isPresent()) {
                Question question = question(reference, namespace);
                contents.fetch(question, image.digest().orElseThrow(), watched.get());
                awaits |= contents.awaits(question);
            }
        }
        return awaits;
    }

    /**
     * Asks a registry whether it answers, for people; the same once per interval, whose answer holds until then.
     *
     * @param probe what to ask
     * @param told told on the loop what is wrong, if something is
     */
    public void check(RegistryProbe probe, Consumer<Optional<RegistryException>> told) {
        Watched watched = registries.stream()
                .filter(one -> one.registry().prefix().equals(probe.registry()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(probe.registry() + " is not watched"));
        Check check =
                new Check(probe.registry(), probe.image().map(image -> question(image.reference(), image.namespace())));
        checked.entrySet().removeIf(entry -> isOld(entry.getKey(), entry.getValue()));
        Checked before = checked.get(check);
        if (before != null) {
            told.accept(before.trouble);
            return;
        }
        List<Consumer<Optional<RegistryException>>> others = checking.get(check);
        if (others != null) {
            others.add(told);
            return;
        }
        checking.put(check, new ArrayList<>(List.of(told)));
        Asker asker = check.question.map(Question::asker).orElse(Asker.EVERYBODY);
        WatchedRegistry.Source source = watched.source(asker);
        watched.queue().send(new Requests.Request<Optional<RegistryException>>() {
            @Override
            public String what() {
                return check.toString();
            }

            @Override
            public Asker asker() {
                return asker;
            }

            @Override
            public Optional<RegistryException> send() throws InterruptedException {
                try {
                    if (check.question.isPresent()) {
                        source.resolve(check.question.get().reference());
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
                checked.put(check, new Checked(loop.nanos(), trouble));
                tell(trouble);
            }

            @Override
            public void failed(String words) {
                tell(Optional.of(new RateLimitedException(
                        FailedRequest.of("check", check.registry.registry()), words, clock.instant(), false, null)));
            }

            private void tell(Optional<RegistryException> trouble) {
                Optional.ofNullable(checking.remove(check))
                        .ifPresent(waiting -> waiting.forEach(one -> one.accept(trouble)));
            }

            @Override
            public boolean evenWhileFailing() {
                return true;
            }
        });
    }

    private boolean isOld(Check check, Checked answer) {
        return registries.stream()
                .filter(watched -> watched.registry().prefix().equals(check.registry))
                .noneMatch(watched ->
                        loop.nanos() - answer.at < watched.registry().interval().toNanos());
    }

    /** Whether a pass runs, or content is being fetched. */
    public boolean busy() {
        return registries.stream().anyMatch(watched -> watched.queue().running()) || contents.busy();
    }

    /** When a reference is asked next for a namespace; empty while it is being asked. */
    public Optional<Instant> nextLook(ImageReference reference, String namespace) {
        return find(reference).flatMap(watched -> watched.queue().next(question(reference, namespace)));
    }

    /** Whether every registry was asked for all of its references once. */
    public boolean passed() {
        return registries.stream().allMatch(watched -> watched.queue().status().passes() > 0);
    }

    public List<HostStatus> status() {
        List<HostStatus> all = new ArrayList<>();
        registries.forEach(watched -> all.add(watched.queue().status()));
        all.sort(Comparator.comparing(HostStatus::host));
        return all;
    }

    /** By registry for how long requests beside the questions are under way, and none ended. */
    public Map<String, Duration> requestsStandStill() {
        return registries.stream()
                .collect(Collectors.toMap(
                        watched -> watched.registry().prefix().toString(),
                        watched -> watched.queue().requestsStandStill(),
                        Pace::max));
    }

    private static String subject(ImageReference reference) {
        return "image " + reference;
    }

    private static String subject(Question question) {
        return question.asker().at(subject(question.reference()));
    }

    /** What the queue of one registry asks, and learns. */
    private final class Port implements HostQueue.Port {
        private final Watched watched;
        private final Map<Question, Resolution.Problem> unreachable =
                new TreeMap<>(Comparator.comparing(Registries::subject));
        /** Of those who are not answered, what tells when their last answers are too old. */
        private final Map<Asker, Loop.Timer> aging = new HashMap<>();

        Port(Watched watched) {
            this.watched = watched;
        }

        @Override
        public void ask(Question question, Consumer<Resolution> answer) {
            try {
                begin(question, answer);
            } catch (RuntimeException | Error e) {
                loop.execute(() -> answer.accept(defect(e.toString())));
            }
        }

        private void begin(Question question, Consumer<Resolution> answer) {
            boolean historyKnown =
                    known(question).map(known -> known.historyKnown).orElse(true);
            Instant asked = clock.instant();
            long started = loop.nanos();
            WatchedRegistry.Source source = watched.source(question.asker());
            elsewhere(
                    () -> {
                        Optional<List<TagDigest>> history = Optional.empty();
                        Resolution outcome = defect("it was not asked");
                        try {
                            history = historyKnown
                                    ? history
                                    : memory.history(question.reference().toString(), HISTORY);
                            outcome = resolve(source, question);
                        } finally {
                            Optional<List<TagDigest>> past = history;
                            Resolution now = outcome;
                            loop.execute(() -> {
                                try {
                                    past.ifPresent(digests -> known(question, digests));
                                    learn(question, now, asked);
                                    Duration took = Duration.ofNanos(loop.nanos() - started);
                                    tell(question, now, took);
                                    listener.resolved(
                                            watched.registry().prefix().toString(),
                                            question.reference().toString(),
                                            now.word(),
                                            took);
                                } finally {
                                    answer.accept(now);
                                }
                            });
                        }
                    },
                    e -> answer.accept(defect(e.toString())));
        }

        private static void tell(Question question, Resolution outcome, Duration took) {
            LOG.atDebug()
                    .addKeyValue(LogField.EVENT, "asked")
                    .addKeyValue(LogField.REFERENCE, question.reference())
                    .addKeyValue(LogField.OUTCOME, outcome.word())
                    .log("{}: {} after {} ms", subject(question), outcome.word(), took.toMillis());
        }

        private static Resolution defect(String what) {
            return new Resolution.Useless(
                    new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "a defect of the agent: " + what));
        }

        private static Resolution resolve(WatchedRegistry.Source source, Question question) {
            ImageReference reference = question.reference();
            try {
                if (question.asker().namespace().isPresent() && !source.hasCredential(reference)) {
                    return Resolution.nothingToShow(reference, source.problems(reference));
                }
                return new Resolution.Found(source.resolve(reference));
            } catch (RegistryException e) {
                return e instanceof UnauthorizedException && !source.hasCredential(reference)
                        ? Resolution.noCredential(e)
                        : Resolution.of(e, source.problems(reference));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Resolution.Unreachable(
                        new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "the agent ends"));
            } catch (RuntimeException | LinkageError | StackOverflowError e) {
                LOG.error("{} could not be resolved; this is a defect", reference, e);
                return defect(e.toString());
            }
        }

        private void tell(Question question, Resolution.Problem problem) {
            problems.problem(
                    watched.namespaces(question),
                    subject(question),
                    problem.kind().words(),
                    problem.message());
        }

        /** What is known, also of what is not used any more but may be again. */
        private Optional<Known> known(Question question) {
            return Optional.ofNullable(references.getOrDefault(question.reference(), gone.get(question.reference())))
                    .flatMap(reference -> Optional.ofNullable(reference.known.get(question.asker())));
        }

        private void known(Question question, List<TagDigest> history) {
            known(question).filter(known -> !known.historyKnown).ifPresent(known -> {
                known.historyKnown = true;
                if (known.watch.counted().isEmpty()) {
                    known.watch = TagWatch.of(history.stream()
                            .flatMap(past -> sight(past).stream())
                            .toList());
                }
            });
        }

        /** What is written in the store, as far as it can be read. */
        private static Optional<TagWatch.Sight> sight(TagDigest past) {
            try {
                return Optional.of(
                        new TagWatch.Sight(Digest.parse(past.digest()), past.firstSeen(), past.lastSeen(), 0));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }

        private void learn(Question question, Resolution outcome, Instant asked) {
            Optional<Known> found = known(question);
            if (found.isPresent()) {
                if (outcome instanceof Resolution.Found now) {
                    sees(question, found.get(), now, asked);
                } else {
                    outcome.trouble().ifPresent(problem -> fails(question, found.get(), outcome, problem, asked));
                }
            }
        }

        private void sees(Question question, Known known, Resolution.Found found, Instant asked) {
            ImageReference reference = question.reference();
            Digest digest = found.descriptor().digest();
            Optional<Digest> before = known.watch.counted().map(TagWatch.Sight::digest);
            known.watch = known.watch.see(digest, asked);
            known.answered = clock.instant();
            known.problem = Optional.empty();
            known.hasNoSecret = false;
            known.news = true;
            problems.well(watched.namespaces(question), subject(question));
            Optional<Digest> now = known.watch.counted().map(TagWatch.Sight::digest);
            if (now.equals(Optional.of(digest))) {
                memory.seen(new Sighting(
                        reference.toString(),
                        digest.toString(),
                        Optional.of(found.descriptor().mediaType()),
                        asked));
            }
            if (before.isPresent() && !before.equals(now)) {
                LOG.atInfo()
                        .addKeyValue(LogField.EVENT, "moved")
                        .addKeyValue(LogField.REFERENCE, reference)
                        .addKeyValue(LogField.FROM, before.get())
                        .addKeyValue(LogField.TO, digest)
                        .log("{} moved from {} to {}", reference, before.get(), digest);
                events.moved(question, before.get(), digest);
                if (!watched.isLimited(question.asker())) {
                    contents.fetch(question, digest, watched, () -> labels.read(watched, question, digest));
                }
            }
            Reference all = references.get(reference);
            if (all != null && question.asker().equals(Asker.EVERYBODY)) {
                all.closed = false;
                Set.copyOf(all.known.keySet()).stream()
                        .filter(asker -> !asker.equals(Asker.EVERYBODY))
                        .forEach(asker -> askNoMore(watched, reference, all, asker));
            }
        }

        private void fails(
                Question question, Known known, Resolution outcome, Resolution.Problem problem, Instant asked) {
            ImageReference reference = question.reference();
            Reference all = references.get(reference);
            if (all == null) {
                return;
            }
            if (known.problem.isEmpty()) {
                known.failingSince = asked;
            }
            known.news = !known.problem.equals(Optional.of(problem));
            known.problem = Optional.of(problem);
            known.hasNoSecret = outcome instanceof Resolution.NothingToShow;
            boolean silent = outcome instanceof Resolution.Unreachable || outcome instanceof Resolution.Useless;
            if (question.asker().equals(Asker.EVERYBODY) && !silent) {
                all.closed = true;
                watched.users(reference).forEach(namespace -> askApart(watched, reference, all, namespace));
            }
            if (all.closed) {
                tellIfClosed(new Question(reference, Asker.EVERYBODY), all);
            }
            boolean own = !question.asker().equals(Asker.EVERYBODY);
            boolean broken = outcome instanceof Resolution.NothingToShow nothing && nothing.broken();
            if (own && (outcome instanceof Resolution.Refused || broken)) {
                tell(question, problem);
            } else if (silent || outcome instanceof Resolution.Rejected) {
                unreachable.put(question, problem);
            }
        }

        /** A problem for those who have no pull secret; where everybody has, it is seldom asked without. */
        private void tellIfClosed(Question question, Reference all) {
            List<Asker> users =
                    watched.users(question.reference()).stream().map(all::asker).toList();
            Optional<Resolution.Problem> problem = all.everybody.problem;
            if (users.contains(Asker.EVERYBODY)
                    && problem.isPresent()
                    && !OF_THE_ASKER.contains(problem.get().kind())) {
                tell(question, problem.get());
            } else if (users.stream().allMatch(asker -> all.of(asker).isFound())) {
                watched.queue()
                        .rest(
                                question,
                                Pace.max(REST, watched.registry().interval().multipliedBy(10)));
            }
            askEverybodyIfOneNeeds(watched, question, all);
        }

        @Override
        public Collection<String> namespaces(Question question) {
            return watched.namespaces(question);
        }

        @Override
        public boolean hasTenants() {
            return watched.hasTenants();
        }

        @Override
        public void elsewhere(Runnable task, Consumer<Throwable> failed) {
            try {
                workers.execute(task);
            } catch (RuntimeException | Error e) { // such as a thread that cannot be made
                loop.execute(() -> failed.accept(e));
            }
        }

        @Override
        public void runaway(String what) {
            problems.problem(
                    "requests to " + watched.registry().prefix(),
                    what,
                    what + " was asked for twice within an interval; this is a defect of the agent, and was refused");
            listener.stopped(AgentListener.Runaway.REQUEST);
        }

        @Override
        public void served(AgentListener.Served what, String namespace) {
            listener.served(what, namespace);
        }

        @Override
        public Optional<Allowance> allowance(Asker asker) {
            return watched.source(asker).allowance();
        }

        @Override
        public Optional<Allowance> budget() {
            return watched.registry().source().budget();
        }

        @Override
        public void answered(Question question, Resolution outcome) {
            // Of a digest that is new it is told with its content.
            if (known(question).map(known -> known.news).orElse(true) && !contents.awaits(question)) {
                events.changed(question.reference());
            }
        }

        @Override
        public void settled(Asker asker, Optional<Resolution.Problem> problem) {
            String subject = subjectOf(asker);
            if (asker.equals(Asker.EVERYBODY) && watched.queue().isHeldBack(asker)) {
                loop.execute(() -> askAllApart(watched));
            }
            Optional<HostStatus.Wait> wait =
                    watched.queue().waits(asker).filter(one -> one.cause().isTrouble());
            if (problem.isPresent()) {
                problems.problem(
                        subject,
                        problem.get().kind().words(),
                        problem.get().message()
                                + wait.map(one -> "; asked again at " + Phrases.time(one.until()))
                                        .orElse(""));
            } else if (wait.isPresent()) {
                problems.problem(subject, wait.get().cause().words(), wait.get().words());
            } else {
                problems.well(subject);
            }
            tellWaiting(asker, problem.isPresent() || wait.isPresent());
            unreachable.entrySet().removeIf(entry -> {
                boolean own = entry.getKey().asker().equals(asker);
                if (own
                        && problem.isEmpty()
                        && references.containsKey(entry.getKey().reference())) {
                    tell(entry.getKey(), entry.getValue());
                }
                return own;
            });
        }

        /**
         * Who waits has that for an answer where he was never asked, and once his last answer is too old: nothing else
         * tells of either.
         */
        private void tellWaiting(Asker asker, boolean waits) {
            if (!waits) {
                forgetAge(asker);
            } else if (!aging.containsKey(asker)) {
                tellAll(asker);
                aging.put(asker, loop.after(goodFor(watched).plusSeconds(1), () -> tellAll(asker)));
            }
        }

        private void tellAll(Asker asker) {
            references.entrySet().stream()
                    .filter(entry -> entry.getValue().known.containsKey(asker)
                            && find(entry.getKey()).filter(watched::equals).isPresent())
                    .map(Map.Entry::getKey)
                    .toList()
                    .forEach(events::changed);
        }

        private void forgetAge(Asker asker) {
            Optional.ofNullable(aging.remove(asker)).ifPresent(Loop.Timer::cancel);
        }

        private String subjectOf(Asker asker) {
            return "registry " + asker.at(watched.registry().prefix().toString());
        }

        @Override
        public void forgotten(Asker asker) {
            problems.forget(subjectOf(asker)::equals);
            forgetAge(asker);
            unreachable.keySet().removeIf(question -> question.asker().equals(asker));
        }

        @Override
        public void passed(HostQueue queue, boolean whole, Duration took) {
            if (whole) {
                listener.passed(queue.host(), took);
                tellPass(took);
            }
            events.passed(whole);
        }

        private void tellPass(Duration took) {
            String registry = "registry " + watched.registry().prefix();
            int count = watched.count();
            LOG.atDebug()
                    .addKeyValue(LogField.EVENT, "passed")
                    .addKeyValue(LogField.SUBJECT, registry)
                    .log("{}: a pass over {} took {} ms", registry, Phrases.count(count, "reference"), took.toMillis());
            if (count > 0) {
                problems.well("use of " + registry);
            } else if (events.seesAll()) {
                problems.problem(
                        "use of " + registry,
                        "not used",
                        "no watched workload has an image of it, so it is not asked: compare the host in the settings with"
                                + " the images, and see that their namespaces are labelled");
            }
            Optional<HostStatus.Wait> budget = watched.queue().waitsForBudget();
            String subject = "budget of " + registry;
            if (budget.isEmpty()) {
                problems.well(subject);
            } else if (problems.note(
                    subject, budget.get().cause().words(), budget.get().words())) {
                tellAll(Asker.EVERYBODY);
            }
        }
    }
}
