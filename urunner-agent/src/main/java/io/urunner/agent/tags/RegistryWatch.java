package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.RegistryProbe;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.TagWatch;
import io.urunner.agent.tags.WatchedReference.Known;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnauthorizedException;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One watched registry: who uses which of its references, and what each of them resolves to for whom. Its queue asks
 * through {@link #ask}; every answer comes in through {@link #answered}, is recorded, has the content of a new digest
 * read, and is reported to {@link Registries.Events}. On the loop.
 */
final class RegistryWatch implements HostQueue.Port {
    private static final Logger LOG = LoggerFactory.getLogger(RegistryWatch.class);

    /** How many digests of a tag's history are enough to recognize one that returns. */
    private static final int HISTORY = 50;

    /** How often at most a private reference is asked for without pull secrets. */
    private static final Duration REST = Duration.ofMinutes(10);

    /** Problems that are reported once for the registry, rather than for each reference. */
    private static final Set<Deferral> OF_THE_ASKER =
            EnumSet.of(Deferral.RATE_LIMITED, Deferral.CREDENTIAL_REJECTED, Deferral.REGISTRY_UNREACHABLE);

    private final Registries.Parts parts;
    private final Loop loop;
    private final Memory memory;
    private final Registries.Events events;
    private final Contents contents;
    private final Labels labels;
    private final Watched watched;
    private final HostQueue queue;
    private final RegistryProblems problems;
    private final Probes probes;
    private final Map<ImageReference, WatchedReference> references = new HashMap<>();
    /** What is known of references that were used less than an interval ago: one that returns need not be asked again. */
    private final Map<ImageReference, WatchedReference> gone = new HashMap<>();

    RegistryWatch(WatchedRegistry registry, Registries.Parts parts, Contents contents, Labels labels) {
        this.parts = parts;
        this.contents = contents;
        this.labels = labels;
        loop = parts.loop();
        memory = parts.memory();
        events = parts.events();
        watched = new Watched(
                registry,
                all -> new HostQueue(
                        registry.prefix().toString(),
                        registry.interval(),
                        registry.concurrency(),
                        loop,
                        parts.clock(),
                        this));
        queue = watched.queue();
        probes = new Probes(watched, loop, parts.clock());
        problems = new RegistryProblems(watched, loop, parts.problems(), this::tellAll, events::seesAll);
    }

    WatchedRegistry registry() {
        return watched.registry();
    }

    HostQueue queue() {
        return queue;
    }

    Set<ImageReference> references() {
        return references.keySet();
    }

    // ---- who uses what

    /** A namespace uses a reference from now on. */
    void track(ImageReference reference, String namespace) {
        WatchedReference known = references.get(reference);
        if (known == null) {
            known = Optional.ofNullable(gone.remove(reference)).orElseGet(WatchedReference::new);
            known.forget.cancel();
            references.put(reference, known);
        }
        watched.uses(reference, namespace);
        queue.track(everybody(reference));
        known.closed |= queue.isHeldBack(Asker.EVERYBODY);
        askApart(reference, known, namespace);
        askEverybodyIfOneNeeds(reference, known);
    }

    /** A namespace no longer uses a reference. */
    void untrack(ImageReference reference, String namespace) {
        boolean nobody = watched.leaves(reference, namespace);
        WatchedReference left = references.get(reference);
        if (left != null) {
            askNoMore(reference, left, Asker.of(namespace));
            if (nobody) {
                queue.untrack(everybody(reference));
                references.remove(reference);
                problems.forget(reference);
                gone.put(reference, left);
                left.forget = loop.after(watched.registry().interval(), () -> gone.remove(reference));
            }
        }
    }

    private static Question everybody(ImageReference reference) {
        return new Question(reference, Asker.EVERYBODY);
    }

    /**
     * Asks with the pull secrets of a namespace if the registry does not answer everybody. A public reference costs one
     * question, however many use it, and nobody's password is sent for it.
     */
    private void askApart(ImageReference reference, WatchedReference known, String namespace) {
        Asker asker = Asker.of(namespace);
        if (known.closed && !known.isAskedFor(asker) && watched.hasSource(namespace)) {
            known.askFor(asker);
            queue.track(new Question(reference, asker));
        }
    }

    /** A namespace without a pull secret gets the answer for everybody, which is then asked in each pass. */
    private void askEverybodyIfOneNeeds(ImageReference reference, WatchedReference known) {
        boolean needed = watched.users(reference).stream()
                .map(known::asker)
                .anyMatch(asker ->
                        asker.equals(Asker.EVERYBODY) || !known.of(asker).isFound());
        if (needed) {
            queue.rest(everybody(reference), Duration.ZERO);
        }
    }

    /** If a registry must not be asked without a secret, namespaces that have one continue. */
    private void askAllApart() {
        Map.copyOf(references).forEach((reference, known) -> {
            known.closed = true;
            watched.users(reference).forEach(namespace -> askApart(reference, known, namespace));
        });
    }

    private void askNoMore(ImageReference reference, WatchedReference known, Asker asker) {
        if (known.askNoMore(asker)) {
            queue.untrack(new Question(reference, asker));
            problems.forget(new Question(reference, asker));
        }
    }

    /** Lets the queue ask for a reference, for all of its askers. */
    void ask(ImageReference reference, BiConsumer<HostQueue, Question> ask) {
        WatchedReference known = references.get(reference);
        if (known != null) {
            boolean open = known.everybody().isFound() || known.askers().size() == 1;
            known.askers().stream()
                    .filter(asker -> open || !asker.equals(Asker.EVERYBODY))
                    .forEach(asker -> ask.accept(queue, new Question(reference, asker)));
        }
    }

    // ---- what a reference says

    /** What is asked for a namespace that uses a reference. */
    Question question(ImageReference reference, String namespace) {
        WatchedReference known = references.get(reference);
        return new Question(reference, known == null ? Asker.EVERYBODY : known.asker(namespace));
    }

    /** Whether an answer about this reference, or the content that belongs to it, is awaited for a namespace. */
    boolean pending(ImageReference reference, String namespace) {
        Question question = question(reference, namespace);
        return queue.pending(question) || contents.awaits(question);
    }

    /**
     * Returns what the registry says to a namespace. If a failing host was not asked for a reference again, its failure is
     * the answer.
     */
    Answer answer(ImageReference reference, String namespace) {
        WatchedReference all = references.get(reference);
        if (all == null) {
            return new Answer.NotAsked();
        }
        Asker asker = all.asker(namespace);
        Known known = all.of(asker);
        Optional<Instant> until = queue.restsUntil(new Question(reference, asker));
        if (known.problem().isPresent()) {
            Resolution.Problem problem = known.problem().get();
            return new Answer.Failed(
                    problem.kind(), problem.message() + all.withoutSecret(namespace), known.failingSince(), until);
        }
        Answer answer = known.answer();
        boolean resolved = answer instanceof Answer.Resolved;
        if (resolved && !tooOld(reference, namespace)) {
            return answer;
        }
        Optional<Resolution.Problem> failing = queue.problem(asker);
        if (failing.isPresent()) {
            return new Answer.Failed(
                    failing.get().kind(),
                    failing.get().message(),
                    queue.failingSince(asker).orElseGet(parts.clock()::instant),
                    until);
        }
        return queue.waits(asker)
                .filter(wait -> !resolved || wait.cause().isTrouble())
                .<Answer>map(
                        wait -> new Answer.Failed(wait.cause(), wait.why(), wait.since(), Optional.of(wait.until())))
                .orElse(answer);
    }

    /** Since when a reference has had the digests that its users see. */
    List<Optional<Instant>> standsSince(ImageReference reference) {
        return watched.users(reference).stream()
                .map(namespace -> standsSince(reference, namespace))
                .toList();
    }

    /** Since when a reference has had the digest that a namespace sees, as far as was seen; empty until that is known. */
    Optional<Instant> standsSince(ImageReference reference, String namespace) {
        return answer(reference, namespace) instanceof Answer.Resolved resolved
                ? Optional.of(resolved.since())
                : Optional.empty();
    }

    /** Whether an answer is too old to act on. */
    boolean tooOld(ImageReference reference, String namespace) {
        Instant since = Optional.ofNullable(references.get(reference))
                .map(known -> known.of(known.asker(namespace)).answered())
                .orElse(Instant.EPOCH);
        return since.plus(watched.goodFor()).isBefore(parts.clock().instant());
    }

    /** Reads what a digest stands for. Returns whether to wait for that; false if it takes too long. */
    boolean fetch(ImageReference reference, Digest digest, String namespace) {
        Question question = question(reference, namespace);
        contents.fetch(question, digest, watched);
        return contents.awaits(question);
    }

    /** Checks on demand whether the registry answers. */
    void check(Optional<RegistryProbe.Image> image, Consumer<Optional<RegistryException>> told) {
        probes.check(image.map(one -> question(one.reference(), one.namespace())), told);
    }

    // ---- what the queue asks, and what comes of it

    @Override
    public Supplier<Resolution> ask(Question question) {
        boolean historyKnown = known(question).map(Known::isHistoryKnown).orElse(true);
        WatchedRegistry.Source source = watched.source(question.asker());
        return () -> {
            if (!historyKnown) {
                memory.history(question.reference().toString(), HISTORY)
                        .ifPresent(history -> loop.execute(
                                () -> known(question).ifPresent(known -> known.takeHistory(sights(history)))));
            }
            return resolve(source, question);
        };
    }

    /** What the store contains, as far as it can be read. */
    private static List<TagWatch.Sight> sights(List<TagDigest> history) {
        return history.stream().flatMap(past -> sight(past).stream()).toList();
    }

    private static Optional<TagWatch.Sight> sight(TagDigest past) {
        try {
            return Optional.of(new TagWatch.Sight(Digest.parse(past.digest()), past.firstSeen(), past.lastSeen(), 0));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
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
                    new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "the agent is shutting down"));
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            LOG.error("{} could not be resolved; this is a defect", reference, e);
            return Resolution.defect(e.toString());
        }
    }

    /** What is known, including what is no longer used but may be again. */
    private Optional<Known> known(Question question) {
        return Optional.ofNullable(references.getOrDefault(question.reference(), gone.get(question.reference())))
                .flatMap(reference -> reference.ofOnly(question.asker()));
    }

    @Override
    public void answered(Question question, Resolution outcome, Instant asked, Duration took) {
        Optional<Known> known = known(question);
        known.ifPresent(one -> {
            if (outcome instanceof Resolution.Found found) {
                sees(question, one, found.descriptor(), asked);
            } else {
                outcome.trouble().ifPresent(problem -> fails(question, one, outcome, problem, asked));
            }
        });
        LOG.atDebug()
                .addKeyValue(LogField.EVENT, "asked")
                .addKeyValue(LogField.REFERENCE, question.reference())
                .addKeyValue(LogField.OUTCOME, outcome.word())
                .log("{}: {} after {} ms", RegistryProblems.subject(question), outcome.word(), took.toMillis());
        parts.listener()
                .resolved(
                        watched.registry().prefix().toString(),
                        question.reference().toString(),
                        outcome.word(),
                        took);
        // A new digest is reported together with its content.
        if (known.map(Known::isNews).orElse(true) && !contents.awaits(question)) {
            events.changed(question.reference());
        }
    }

    private void sees(Question question, Known known, Descriptor found, Instant asked) {
        ImageReference reference = question.reference();
        Digest digest = found.digest();
        Optional<Digest> before = known.digest();
        known.sees(digest, asked, parts.clock().instant());
        problems.well(question);
        Optional<Digest> now = known.digest();
        if (now.equals(Optional.of(digest))) {
            memory.seen(new Sighting(reference.toString(), digest.toString(), Optional.of(found.mediaType()), asked));
        }
        if (before.isPresent() && !before.equals(now)) {
            moved(question, before.get(), digest);
        }
        WatchedReference all = references.get(reference);
        if (all != null && question.asker().equals(Asker.EVERYBODY)) {
            all.closed = false;
            all.askers().stream()
                    .filter(asker -> !asker.equals(Asker.EVERYBODY))
                    .forEach(asker -> askNoMore(reference, all, asker));
        }
    }

    private void moved(Question question, Digest from, Digest to) {
        ImageReference reference = question.reference();
        LOG.atInfo()
                .addKeyValue(LogField.EVENT, "moved")
                .addKeyValue(LogField.REFERENCE, reference)
                .addKeyValue(LogField.FROM, from)
                .addKeyValue(LogField.TO, to)
                .log("{} moved from {} to {}", reference, from, to);
        events.moved(question, from, to);
        if (!watched.isLimited(question.asker())) {
            contents.fetch(question, to, watched, () -> labels.read(watched, question, to));
        }
    }

    private void fails(Question question, Known known, Resolution outcome, Resolution.Problem problem, Instant asked) {
        ImageReference reference = question.reference();
        WatchedReference all = references.get(reference);
        if (all == null) {
            return;
        }
        known.fails(problem, outcome instanceof Resolution.NothingToShow, asked);
        boolean silent = outcome instanceof Resolution.Unreachable || outcome instanceof Resolution.Useless;
        if (question.asker().equals(Asker.EVERYBODY) && !silent) {
            all.closed = true;
            watched.users(reference).forEach(namespace -> askApart(reference, all, namespace));
        }
        if (all.closed) {
            tellIfClosed(reference, all);
        }
        boolean own = !question.asker().equals(Asker.EVERYBODY);
        boolean broken = outcome instanceof Resolution.NothingToShow nothing && nothing.broken();
        if (own && (outcome instanceof Resolution.Refused || broken)) {
            problems.tell(question, problem);
        } else if (silent || outcome instanceof Resolution.Rejected) {
            problems.unanswered(question, problem);
        }
    }

    /** A problem for those without a pull secret; if all have one, asking without is rare. */
    private void tellIfClosed(ImageReference reference, WatchedReference all) {
        List<Asker> users = watched.users(reference).stream().map(all::asker).toList();
        Optional<Resolution.Problem> problem = all.everybody().problem();
        if (users.contains(Asker.EVERYBODY)
                && problem.isPresent()
                && !OF_THE_ASKER.contains(problem.get().kind())) {
            problems.tell(everybody(reference), problem.get());
        } else if (users.stream().allMatch(asker -> all.of(asker).isFound())) {
            queue.rest(
                    everybody(reference),
                    Pace.max(REST, watched.registry().interval().multipliedBy(10)));
        }
        askEverybodyIfOneNeeds(reference, all);
    }

    private void tellAll(Asker asker) {
        references.entrySet().stream()
                .filter(entry -> entry.getValue().isAskedFor(asker))
                .map(Map.Entry::getKey)
                .toList()
                .forEach(events::changed);
    }

    @Override
    public void settled(Asker asker, Optional<Resolution.Problem> problem) {
        if (asker.equals(Asker.EVERYBODY) && queue.isHeldBack(asker)) {
            loop.execute(this::askAllApart);
        }
        problems.settled(asker, problem, references::containsKey);
    }

    @Override
    public void forgotten(Asker asker) {
        problems.forget(asker);
    }

    @Override
    public void passed(boolean whole, Duration took) {
        if (whole) {
            parts.listener().passed(queue.host(), took);
            problems.passed(took);
        }
        events.passed(whole);
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
            parts.workers().execute(task);
        } catch (RuntimeException | Error e) { // such as a thread that cannot be created
            loop.execute(() -> failed.accept(e));
        }
    }

    @Override
    public void runaway(String what) {
        problems.runaway(what);
        parts.listener().stopped(AgentListener.Runaway.REQUEST);
    }

    @Override
    public void served(AgentListener.Served what, String namespace) {
        parts.listener().served(what, namespace);
    }

    @Override
    public Optional<Allowance> allowance(Asker asker) {
        return watched.source(asker).allowance();
    }

    @Override
    public Optional<Allowance> budget() {
        return watched.registry().source().budget();
    }
}
