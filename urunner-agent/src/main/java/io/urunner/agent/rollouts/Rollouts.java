package io.urunner.agent.rollouts;

import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.Ration;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Expansion;
import io.urunner.agent.plan.Experience;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Quarantine;
import io.urunner.agent.plan.Underway;
import io.urunner.agent.plan.Verification;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PatchResult;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** The rollouts that are under way, each followed to its end. On the loop. */
public final class Rollouts {
    private static final Logger LOG = LoggerFactory.getLogger(Rollouts.class);

    /** A rollout that is over is recorded afterwards unless it was started before that. */
    private static final Duration RECENT = Duration.ofDays(1);

    /** A time that is further ahead is a wrong clock's, or made up. */
    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);

    /** How long after its beginning an agent learns of rollouts that others began before. */
    private static final Duration BEGINNING = Duration.ofMinutes(1);

    /** So many rollouts that only annotations tell of are followed per namespace and hour. */
    private static final int HEARSAY = 200;

    private static final Duration HOUR = Duration.ofHours(1);

    /** How long at least the content is awaited that a rollout is judged by. */
    private static final Duration CONTENT = Duration.ofMinutes(1);

    private final Cluster cluster;
    private final Loop loop;
    private final InstantSource clock;
    private final Memory memory;
    private final AgentListener listener;
    private final Registries registries;
    private final Duration patience;
    private final StateLog log;
    private final Consumer<WorkloadId> over;
    private final Runnable flushSoon;
    private final Experience experience;
    private final Ration hearsay;
    private final Ration past;
    private final Map<WorkloadId, Followed> followed = new HashMap<>();
    /** By workload that was looked at the rollout that was followed last, or was over when it was looked at first. */
    private final Map<WorkloadId, String> lastFollowed = new HashMap<>();

    private final Map<WorkloadId, Outcome.Failed> toQuarantine = new HashMap<>();
    /** The last rollout of a workload whose patch was not answered: the API server may have taken it. */
    private final Map<WorkloadId, Rollout> unanswered = new HashMap<>();

    /** Those of which was told last that a rollout did not end well. */
    private final Set<WorkloadId> endedBadly = new HashSet<>();

    private Instant began = Instant.MIN;

    private static final class Followed {
        private Rollout rollout;
        /** The generation that its patch made. */
        private final long generation;

        private final CompletableFuture<RolloutOutcome> outcome;
        /** Whether others wait for it. */
        private boolean shared;
        /** Whether it was over before this agent acted: it is recorded, and no news. */
        private final boolean old;

        private Optional<RolloutOutcome> ended = Optional.empty();
        /** Whose content is awaited, to judge it. */
        private Set<String> awaited = Set.of();
        /** Whether that was awaited for long enough. */
        private boolean impatient;

        Followed(
                Rollout rollout,
                long generation,
                CompletableFuture<RolloutOutcome> outcome,
                boolean shared,
                boolean old) {
            this.rollout = rollout;
            this.generation = generation;
            this.outcome = outcome;
            this.shared = shared;
            this.old = old;
        }
    }

    /**
     * @param patience how long a rollout is followed
     * @param log says how many lines there may be
     * @param over told of the workload when a rollout is over
     * @param flushSoon writes what was learnt to the store
     */
    public Rollouts(
            Cluster cluster,
            Loop loop,
            InstantSource clock,
            Memory memory,
            AgentListener listener,
            Registries registries,
            Duration patience,
            StateLog log,
            Consumer<WorkloadId> over,
            Runnable flushSoon) {
        this.cluster = cluster;
        this.loop = loop;
        this.clock = clock;
        this.memory = memory;
        this.listener = listener;
        this.registries = registries;
        this.patience = patience;
        this.log = log;
        this.over = over;
        this.flushSoon = flushSoon;
        experience = new Experience(patience);
        hearsay = new Ration(
                HEARSAY,
                HOUR,
                loop,
                (namespace, count) -> LOG.warn(
                        "namespace {}: {} that annotations tell of not followed",
                        namespace,
                        Phrases.count(count, "rollout")));
        past = new Ration(
                HEARSAY,
                HOUR,
                loop,
                (namespace, count) -> LOG.debug(
                        "namespace {}: {} that had ended not recorded", namespace, Phrases.count(count, "rollout")));
    }

    /** From now on this agent acts: what others began before counts as under way, as the workloads tell it now. */
    public void begin(Collection<Tracked> fleet) {
        began = clock.instant();
        fleet.forEach(this::adopt);
    }

    /** A patch is about to be sent, whose answer may be lost. */
    void starting(Rollout rollout) {
        unanswered.put(rollout.workload(), rollout);
    }

    /** A patch was taken. */
    void started(Workload workload, Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        if (log.mayTell(rollout.workload().namespace())) {
            LOG.atInfo()
                    .addKeyValue(LogField.EVENT, "rollout_started")
                    .addKeyValue(LogField.WORKLOAD, rollout.workload())
                    .log("{}: rollout started: {}", rollout.workload(), rollout.why());
        }
        listener.rolloutStarted(workload, rollout);
        runs(rollout, digests, patched);
    }

    private void runs(Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        toQuarantine.remove(rollout.workload());
        unanswered.remove(rollout.workload());
        memory.rollout(rollout.running());
        if (!rollout.isHearsay()) {
            experience.begun(rollout.workload(), rollout.images(), rollout.requested());
        }
        follow(rollout, digests, patched, Optional.empty());
    }

    /**
     * Follows a rollout of ours that this agent did not see start: the answer to its patch was lost, or the one that
     * started it is gone, and the store with it. One that is over is recorded with its outcome, if it is recent and the
     * store does not know it. What is so at the first look began before this agent acted, and is not told as news; its end
     * is, if that comes later.
     */
    void adopt(Tracked one) {
        WorkloadId id = one.workload().id();
        if (followed.containsKey(id) || one.references().isEmpty()) {
            return;
        }
        boolean first = lastFollowed.putIfAbsent(id, "") == null;
        Instant now = clock.instant();
        Underway.of(one.workload())
                .filter(found -> found.since().isBefore(now.plus(CLOCKS_DIFFER)))
                .filter(found -> !found.since().toString().equals(lastFollowed.get(id)))
                .ifPresent(found -> adopt(one.workload(), found, now, first));
    }

    private void adopt(Workload workload, Underway found, Instant now, boolean first) {
        WorkloadId id = workload.id();
        String key = found.since().toString();
        boolean runs = Admission.isRollingOut(workload, patience, now);
        Optional<Rollout> ours =
                Optional.ofNullable(unanswered.get(id)).filter(sent -> sent.id().equals(key));
        if (!runs) {
            lastFollowed.put(id, key);
        }
        boolean old = first && ours.isEmpty();
        Ration ration = old && !runs ? past : hearsay;
        if ((!runs && found.since().isBefore(now.minus(RECENT))) || (ours.isEmpty() && !ration.take(id.namespace()))) {
            return;
        }
        Rollout rollout = ours.orElseGet(() -> new Rollout(key, id, found.why(), found.changes(), found.since()));
        PatchResult.Patched patched = new PatchResult.Patched(workload.resourceVersion(), workload.generation());
        if (runs && old) {
            LOG.debug("{}: a rollout of {} is under way, and followed", id, Phrases.time(found.since()));
            runs(rollout, found.digests(), patched);
        } else if (runs) {
            started(workload, rollout, found.digests(), patched);
        } else {
            memory.hasRollout(id, key, recorded -> {
                if (!recorded && !followed.containsKey(id)) {
                    follow(rollout, found.digests(), patched, old ? Optional.of(workload) : Optional.empty());
                }
            });
        }
    }

    /** Not every failure is the image's: one that is has been written on the workload, too. */
    private void learn(List<RolloutRecord> recent) {
        for (RolloutRecord record : recent) {
            try {
                WorkloadId id = WorkloadId.parse(record.workload());
                if (record.finished().isPresent()) {
                    isOver(id, record.id());
                }
                if (Underway.isHearsay(record.why())) {
                    continue;
                }
                Rollout rollout = Rollout.of(id, record);
                experience.begun(id, rollout.images(), record.requested());
                Instant when = record.finished().orElse(record.requested());
                if (record.outcome().equals(Optional.of("succeeded"))) {
                    experience.ended(id, rollout.images(), when, new Outcome.Succeeded(""));
                } else if (record.outcome().equals(Optional.of("failed"))) {
                    Set<ImageDigest> failed = new HashSet<>(rollout.images());
                    failed.retainAll(cluster.find(id)
                            .map(workload -> Quarantine.of(List.of(workload)).keySet())
                            .orElse(Set.of()));
                    experience.ended(id, failed, when, new Outcome.Failed("", true));
                }
            } catch (IllegalArgumentException e) {
                LOG.warn("a remembered rollout is left out: {}", e.getMessage());
            }
        }
    }

    /** The store knows the end of a rollout: what is missing since is another story, though it looks as if it went on. */
    private void isOver(WorkloadId id, String rollout) {
        lastFollowed.merge(id, rollout, (known, ended) -> known.isEmpty() ? ended : known);
        Followed one = followed.get(id);
        if (one != null && one.rollout.id().equals(rollout)) {
            followed.remove(id);
            one.outcome.cancel(false);
            over.accept(id);
        }
    }

    /** Rollouts that were under way when the agent ended: those whose template still says so are followed on. */
    public void resume(Memory.Past past) {
        learn(past.recent());
        for (RolloutRecord record : past.unfinished()) {
            WorkloadId id;
            try {
                id = WorkloadId.parse(record.workload());
            } catch (IllegalArgumentException e) {
                LOG.warn("a remembered rollout is left out: {}", e.getMessage());
                continue;
            }
            Rollout rollout = Rollout.of(id, record);
            Optional<Workload> workload = cluster.find(id);
            Optional<DigestsAnnotation> digests = workload.flatMap(found ->
                            Optional.ofNullable(found.templateAnnotations().get(Workload.DIGESTS)))
                    .flatMap(DigestsAnnotation::parse);
            boolean still = digests.isPresent()
                    && rollout.changes().stream()
                            .allMatch(change -> digests.get()
                                    .digest(change.container(), change.reference())
                                    .equals(Optional.of(change.to())));
            if (!still) {
                memory.rollout(rollout.ended(
                        clock.instant(), new Outcome.Superseded("it ended while no agent was there to see it")));
            } else if (followed.containsKey(id)) {
                // It was found on the workload; now it is known by ourselves.
                Followed found = followed.get(id);
                if (found.rollout.id().equals(rollout.id())) {
                    found.rollout = rollout;
                    found.shared = !rollout.isHearsay();
                    followsAgain(rollout, record);
                }
            } else {
                followsAgain(rollout, record);
                follow(
                        rollout,
                        digests.get(),
                        new PatchResult.Patched(
                                workload.get().resourceVersion(), workload.get().generation()),
                        workload.filter(found -> !Admission.isRollingOut(found, patience, clock.instant())));
            }
        }
    }

    private void followsAgain(Rollout rollout, RolloutRecord record) {
        if (record.outcome().isPresent()) {
            memory.rollout(rollout.followedAgain());
        }
    }

    /** {@code ended} is the workload where the rollout was over before this agent acted: it is judged as it stands. */
    private void follow(
            Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched, Optional<Workload> ended) {
        CompletableFuture<RolloutOutcome> outcome = ended.isPresent()
                ? CompletableFuture.completedFuture(Verification.asItStands(ended.get(), rollout.isHearsay()))
                : cluster.follow(rollout.workload(), digests, patched, left(rollout));
        Followed now = new Followed(
                rollout,
                patched.generation(),
                outcome,
                !rollout.isHearsay() || isFromBefore(rollout),
                ended.isPresent());
        lastFollowed.put(rollout.workload(), rollout.id());
        Followed before = followed.put(rollout.workload(), now);
        if (before != null) {
            before.outcome.cancel(false);
            end(before, new Outcome.Superseded("the next rollout followed"));
        }
        CompletableFuture<RolloutOutcome> unused = outcome.whenComplete((end, failure) -> {
            if (end != null) {
                loop.execute(() -> over(now, end));
            } else if (failure != null && !outcome.isCancelled()) {
                LOG.error("the rollout of {} is followed no more; this is a defect", rollout.workload(), failure);
                loop.execute(() -> {
                    if (followed.remove(rollout.workload(), now)) {
                        over.accept(rollout.workload());
                    }
                });
            }
        });
    }

    /** What is left of our patience with a rollout, whoever began it: who comes later does not begin anew. */
    private Duration left(Rollout rollout) {
        Duration left = Duration.between(clock.instant(), rollout.requested().plus(patience));
        return Pace.min(patience, Pace.max(left, Duration.ZERO));
    }

    /** What is told while we begin of the time before may be another agent's. Nobody can make it up later. */
    private boolean isFromBefore(Rollout rollout) {
        return rollout.requested().isBefore(began)
                && clock.instant().minus(BEGINNING).isBefore(began);
    }

    /**
     * The rollouts that are under way; one that has ended and is still to be judged is not. Others wait for those that we
     * know by ourselves, and for none of them longer than for its namespace's share of our patience, however it is asked
     * to be.
     */
    public List<Admission.Slot> slots() {
        return followed.values().stream()
                .filter(one -> one.ended.isEmpty() && !one.old)
                .map(this::slot)
                .toList();
    }

    private Admission.Slot slot(Followed one) {
        Rollout rollout = one.rollout;
        Instant now = clock.instant();
        Instant since = rollout.requested().isAfter(now) ? now : rollout.requested();
        return new Admission.Slot(
                rollout.workload(),
                rollout.images(),
                Optional.of(since.plus(experience.hold(rollout.workload().namespace())))
                        .filter(until -> one.shared),
                since.plus(patience));
    }

    public Experience experience() {
        return experience;
    }

    private void over(Followed one, RolloutOutcome end) {
        if (followed.get(one.rollout.workload()) == one) {
            one.ended = Optional.of(end);
            judge(one);
        }
    }

    private void judge(Followed one) {
        WorkloadId id = one.rollout.workload();
        Outcome outcome = Verification.judge(one.ended.orElseThrow(), cluster.find(id), key -> expansion(one, key));
        if (outcome instanceof Outcome.NeedsExpansion needs) {
            if (one.awaited.isEmpty()) {
                loop.after(Pace.max(left(one.rollout), CONTENT), () -> {
                    one.impatient = true;
                    look(id);
                });
            }
            one.awaited = needs.needed().stream().map(ImageDigest::reference).collect(Collectors.toSet());
            registries.fetch(needs.needed(), id.namespace());
            return;
        }
        followed.remove(id);
        end(one, outcome);
        if (outcome instanceof Outcome.Failed failed) {
            toQuarantine.put(id, failed);
        }
        over.accept(id);
    }

    private Expansion expansion(Followed one, ImageDigest key) {
        Expansion known = registries.expansion(key, one.rollout.workload().namespace());
        return one.impatient && known instanceof Expansion.NotFetched
                ? new Expansion.Unavailable("its content could not be read in time")
                : known;
    }

    /** The workloads whose rollouts wait for what a digest of this stands for, though they may not use it any more. */
    public List<WorkloadId> undecided(ImageReference reference) {
        return followed.values().stream()
                .filter(one -> one.awaited.contains(reference.toString()))
                .map(one -> one.rollout.workload())
                .toList();
    }

    /**
     * A workload is planned anew: what was missing to judge its rollout may be known now, or somebody took back what it was
     * rolled out for.
     */
    void look(WorkloadId id) {
        Followed one = followed.get(id);
        if (one != null && one.ended.isPresent()) {
            judge(one);
        } else if (one != null
                && cluster.find(id)
                        .filter(now -> now.generation() >= one.generation && Verification.isTakenBack(now))
                        .isPresent()) {
            one.outcome.cancel(false);
            over(one, new RolloutOutcome.Superseded());
        }
    }

    /** What is to be written on a workload whose rollout failed, until it is written. */
    Optional<WorkloadState> quarantine(Workload workload) {
        Optional<WorkloadState> state = Optional.ofNullable(toQuarantine.get(workload.id()))
                .flatMap(failed -> Verification.quarantine(workload, failed));
        if (state.isEmpty()) {
            toQuarantine.remove(workload.id());
        }
        return state;
    }

    /** It is written: if the rollout turns out well after all, that is not undone. */
    void quarantined(WorkloadId id) {
        toQuarantine.remove(id);
    }

    private void end(Followed one, Outcome outcome) {
        if (one.old) {
            LOG.debug(
                    "{}: the rollout of {} was over: {}",
                    one.rollout.workload(),
                    Phrases.time(one.rollout.requested()),
                    outcome.name());
        } else {
            tell(one.rollout, outcome);
        }
        if (!one.rollout.isHearsay()) {
            experience.ended(one.rollout.workload(), one.rollout.images(), clock.instant(), outcome);
        }
        memory.rollout(one.rollout.ended(clock.instant(), outcome));
        flushSoon.run();
    }

    private void tell(Rollout rollout, Outcome outcome) {
        boolean well = outcome instanceof Outcome.Succeeded || outcome instanceof Outcome.Superseded;
        if (well) {
            endedBadly.remove(rollout.workload());
        } else {
            endedBadly.add(rollout.workload());
        }
        if (log.mayTell(rollout.workload().namespace())) {
            LOG.atLevel(well ? Level.INFO : Level.WARN)
                    .addKeyValue(LogField.EVENT, "rollout_ended")
                    .addKeyValue(LogField.WORKLOAD, rollout.workload())
                    .addKeyValue(LogField.OUTCOME, outcome.name())
                    .log("{}: rollout {}: {}", rollout.workload(), outcome.name(), outcome.words());
        }
        listener.rolloutEnded(rollout, outcome);
    }

    /** A workload went away, or its namespace is not watched any more: nobody waits for its rollout. */
    public void forget(WorkloadId id) {
        lastFollowed.remove(id);
        endedBadly.remove(id);
        toQuarantine.remove(id);
        unanswered.remove(id);
        Followed gone = followed.remove(id);
        if (gone != null) {
            gone.outcome.cancel(false);
            end(gone, new Outcome.Superseded("the workload was deleted, or is not watched any more"));
        }
    }

    /** Whether one of this workload is under way, or is still to be judged. */
    public boolean running(WorkloadId id) {
        Followed one = followed.get(id);
        return one != null && !one.old;
    }

    /** Whether it was told last of a rollout of this workload that it did not end well. */
    boolean endedBadly(WorkloadId id) {
        return endedBadly.contains(id);
    }

    /** Follows no more; the rollouts go on, and whoever acts next takes them up. */
    public void stop() {
        endedBadly.clear();
        List<Followed> left =
                followed.values().stream().filter(one -> one.ended.isEmpty()).toList();
        if (!left.isEmpty()) {
            left.forEach(one -> memory.rollout(one.rollout.notFollowed()));
            memory.flush(); // before another agent reads it
        }
        followed.values().forEach(one -> one.outcome.cancel(false));
        followed.clear();
        lastFollowed.clear();
        toQuarantine.clear();
        unanswered.clear();
    }
}
