package io.urunner.agent.rollouts;

import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Content;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Experience;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Verification;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Fleet;
import io.urunner.agent.workloads.PlanQueue;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PatchResult;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** The rollouts that are under way, each followed to its end. On the loop. */
public final class Rollouts {
    private static final Logger LOG = LoggerFactory.getLogger(Rollouts.class);

    /** How long after its start an agent learns of rollouts that others started before. */
    private static final Duration BEGINNING = Duration.ofMinutes(1);

    /** How long the content needed to judge a rollout is awaited at least. */
    private static final Duration CONTENT = Duration.ofMinutes(1);

    private final Context context;
    private final Cluster cluster;
    private final Registries registries;
    private final Memory memory;
    private final Fleet fleet;
    private final PlanQueue queue;
    private final Limits limits;
    private final Experience experience;
    private final Map<WorkloadId, Following> followed = new HashMap<>();
    /** For each workload looked at, the rollout that was followed last, or was over at the first look. */
    private final Map<WorkloadId, String> last = new HashMap<>();

    private final Map<WorkloadId, Outcome.Failed> toQuarantine = new HashMap<>();
    /** The last rollout of a workload whose patch was not answered: the API server may have taken it. */
    private final Map<WorkloadId, Rollout> unanswered = new HashMap<>();

    /** Workloads whose last reported rollout did not end well. */
    private final Set<WorkloadId> endedBadly = new HashSet<>();

    private Instant began = Instant.MIN;

    /** {@code limits} says how many may run, and how long each is followed; {@code queue} gets the workloads whose rollout is over. */
    public Rollouts(
            Context context,
            Cluster cluster,
            Registries registries,
            Memory memory,
            Fleet fleet,
            PlanQueue queue,
            Limits limits) {
        this.context = context;
        this.cluster = cluster;
        this.registries = registries;
        this.memory = memory;
        this.fleet = fleet;
        this.queue = queue;
        this.limits = limits;
        experience = new Experience(limits.patience());
    }

    /** How long a rollout is followed. */
    Duration patience() {
        return limits.patience();
    }

    /** What our rollouts have shown. */
    Experience experience() {
        return experience;
    }

    /** From now on this agent acts. */
    void begin() {
        began = context.now();
    }

    /** A patch is about to be sent, whose answer may be lost. */
    void starting(Rollout rollout) {
        unanswered.put(rollout.workload(), rollout);
    }

    /** The rollout whose patch was sent last, while its answer is missing. */
    Optional<Rollout> unanswered(WorkloadId id) {
        return Optional.ofNullable(unanswered.get(id));
    }

    /** A patch was accepted. */
    void started(Workload workload, Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        if (context.problems().mayTell(rollout.workload().namespace())) {
            LOG.atInfo()
                    .addKeyValue(LogField.EVENT, "rollout_started")
                    .addKeyValue(LogField.WORKLOAD, rollout.workload())
                    .log("{}: rollout started: {}", rollout.workload(), rollout.why());
        }
        context.listener().rolloutStarted(workload, rollout);
        runs(rollout, digests, patched);
    }

    /** A rollout is under way, and is followed. */
    void runs(Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched) {
        toQuarantine.remove(rollout.workload());
        unanswered.remove(rollout.workload());
        memory.begun(rollout);
        if (!rollout.isHearsay()) {
            experience.begun(rollout.workload(), rollout.images(), rollout.requested());
        }
        follow(rollout, digests, patched, Optional.empty());
    }

    /** {@code ended} is the workload if its rollout was over before this agent acted: it is judged as it stands. */
    void follow(Rollout rollout, DigestsAnnotation digests, PatchResult.Patched patched, Optional<Workload> ended) {
        WorkloadId id = rollout.workload();
        CompletableFuture<RolloutOutcome> outcome = ended.isPresent()
                ? CompletableFuture.completedFuture(Verification.asItStands(ended.get(), rollout.isHearsay()))
                : cluster.follow(id, digests, patched, left(rollout));
        Following now = new Following(
                rollout,
                patched.generation(),
                outcome,
                !rollout.isHearsay() || isFromBefore(rollout),
                ended.isPresent());
        last.put(id, rollout.id());
        Following before = followed.put(id, now);
        if (before != null) {
            before.cancel();
            end(before, new Outcome.Superseded("the next rollout was started"));
        }
        CompletableFuture<RolloutOutcome> unused = outcome.whenComplete((end, failure) -> {
            if (end != null) {
                context.loop().execute(() -> ended(now, end));
            } else if (failure != null && !outcome.isCancelled()) {
                LOG.error("the rollout of {} is no longer followed; this is a defect", id, failure);
                context.loop().execute(() -> {
                    if (followed.remove(id, now)) {
                        over(id);
                    }
                });
            }
        });
    }

    /** What is left of our patience with a rollout, whoever started it: a later agent does not start over. */
    private Duration left(Rollout rollout) {
        Duration left = Duration.between(context.now(), rollout.requested().plus(limits.patience()));
        return Pace.min(limits.patience(), Pace.max(left, Duration.ZERO));
    }

    /** While we start, rollouts from before may be another agent's. Nobody can make one up later. */
    private boolean isFromBefore(Rollout rollout) {
        return rollout.requested().isBefore(began)
                && context.now().minus(BEGINNING).isBefore(began);
    }

    /** The followed rollout of this workload, if there is one. */
    Optional<Following> followed(WorkloadId id) {
        return Optional.ofNullable(followed.get(id));
    }

    /** Whether a workload is looked at for the first time. */
    boolean isFirstLook(WorkloadId id) {
        return last.putIfAbsent(id, "") == null;
    }

    /** Whether this rollout was followed last, or was over when its workload was looked at. */
    boolean isLast(Rollout rollout) {
        return rollout.id().equals(last.get(rollout.workload()));
    }

    /** A rollout was over when its workload was looked at. */
    void wasOver(Rollout rollout) {
        last.put(rollout.workload(), rollout.id());
    }

    /** The store knows the end of a rollout: pods that are missing since are not part of it, though it looks unfinished. */
    void isOver(Rollout rollout) {
        WorkloadId id = rollout.workload();
        last.merge(id, rollout.id(), (known, ended) -> known.isEmpty() ? ended : known);
        Following one = followed.get(id);
        if (one != null && one.rollout().id().equals(rollout.id())) {
            followed.remove(id);
            one.cancel();
            over(id);
        }
    }

    /** A rollout is over: others may start, in any namespace. */
    private void over(WorkloadId id) {
        fleet.find(id).ifPresent(queue::plan);
        queue.planWaiting();
    }

    /** What decides which planned rollouts may start beside those that are under way now. */
    public Admission admission() {
        return new Admission(
                limits,
                slots(),
                namespace -> fleet.all(namespace).stream()
                        .filter(one -> !one.references().isEmpty())
                        .map(Tracked::standing)
                        .toList(),
                experience,
                context.now());
    }

    /**
     * The rollouts that are under way, including those whose patch is being sent or does not show yet, and without those
     * that have ended and have yet to be judged. Others wait only for those that we know ourselves, and for none of them
     * longer than its namespace's share of our patience, whatever the settings ask for.
     */
    private List<Admission.Slot> slots() {
        List<Admission.Slot> slots = new ArrayList<>();
        followed.values().stream()
                .filter(one -> one.ended().isEmpty() && !one.isOld())
                .map(this::slot)
                .forEach(slots::add);
        for (Tracked one : fleet.all()) {
            WorkloadId id = one.workload().id();
            one.starting().filter(restart -> !running(id)).ifPresent(restart -> slots.add(slot(id, restart)));
        }
        return slots;
    }

    private Admission.Slot slot(WorkloadId id, Decision.Restart starting) {
        Instant since = starting.patch().restartedAt();
        return new Admission.Slot(
                id,
                Admission.images(starting.changes()),
                Optional.of(since.plus(experience.hold(id.namespace()))),
                since.plus(limits.patience()));
    }

    private Admission.Slot slot(Following one) {
        Rollout rollout = one.rollout();
        Instant now = context.now();
        Instant since = rollout.requested().isAfter(now) ? now : rollout.requested();
        return new Admission.Slot(
                rollout.workload(),
                rollout.images(),
                Optional.of(since.plus(experience.hold(rollout.workload().namespace())))
                        .filter(until -> one.isShared()),
                since.plus(limits.patience()));
    }

    private void ended(Following one, RolloutOutcome end) {
        if (followed.get(one.rollout().workload()) == one) {
            one.ended(end);
            judge(one);
        }
    }

    private void judge(Following one) {
        WorkloadId id = one.rollout().workload();
        RolloutOutcome ended = one.ended().orElseThrow();
        Optional<Workload> now = cluster.find(id);
        Function<ImageDigest, Content> contents = image -> registries.content(image, id.namespace());
        List<ImageDigest> unread = one.isImpatient() ? List.of() : Verification.unread(ended, now, contents);
        if (!unread.isEmpty()) {
            if (one.awaits(unread)) {
                context.loop().after(Pace.max(left(one.rollout()), CONTENT), () -> {
                    one.awaitsNoMore();
                    look(id);
                });
            }
            registries.fetch(unread.stream().map(ImageDigest::parse).toList(), id.namespace());
            return;
        }
        Outcome outcome = Verification.judge(ended, now, contents);
        followed.remove(id);
        end(one, outcome);
        if (outcome instanceof Outcome.Failed failed) {
            toQuarantine.put(id, failed);
        }
        over(id);
    }

    /** The workloads whose rollouts wait for the content of a digest of this, even if they no longer use it. */
    public List<Tracked> undecided(ImageReference reference) {
        return followed.values().stream()
                .filter(one -> one.awaits(reference))
                .flatMap(one -> fleet.find(one.rollout().workload()).stream())
                .toList();
    }

    /**
     * A workload is planned again: what was missing to judge its rollout may be known now, or somebody undid the change that
     * it was rolled out for.
     */
    void look(WorkloadId id) {
        Following one = followed.get(id);
        if (one != null && one.ended().isPresent()) {
            judge(one);
        } else if (one != null
                && cluster.find(id)
                        .filter(now -> !one.isAfter(now) && Verification.isTakenBack(now))
                        .isPresent()) {
            one.cancel();
            ended(one, new RolloutOutcome.Superseded());
        }
    }

    /** The state to write on a workload whose rollout failed, until it is written. */
    Optional<WorkloadState> quarantine(Workload workload) {
        Optional<WorkloadState> state = Optional.ofNullable(toQuarantine.get(workload.id()))
                .flatMap(failed -> Verification.quarantine(workload, failed));
        if (state.isEmpty()) {
            toQuarantine.remove(workload.id());
        }
        return state;
    }

    /** It is written: if the rollout succeeds after all, this is not undone. */
    void quarantined(WorkloadId id) {
        toQuarantine.remove(id);
    }

    private void end(Following one, Outcome outcome) {
        Rollout rollout = one.rollout();
        if (one.isOld()) {
            LOG.debug(
                    "{}: the rollout of {} was over: {}",
                    rollout.workload(),
                    Phrases.time(rollout.requested()),
                    outcome.name());
        } else {
            tell(rollout, outcome);
        }
        if (!rollout.isHearsay()) {
            experience.ended(rollout.workload(), rollout.images(), context.now(), outcome);
        }
        memory.ended(rollout, outcome);
        memory.flushSoon();
    }

    private void tell(Rollout rollout, Outcome outcome) {
        boolean well = outcome instanceof Outcome.Succeeded || outcome instanceof Outcome.Superseded;
        if (well) {
            endedBadly.remove(rollout.workload());
        } else {
            endedBadly.add(rollout.workload());
        }
        if (context.problems().mayTell(rollout.workload().namespace())) {
            LOG.atLevel(well ? Level.INFO : Level.WARN)
                    .addKeyValue(LogField.EVENT, "rollout_ended")
                    .addKeyValue(LogField.WORKLOAD, rollout.workload())
                    .addKeyValue(LogField.OUTCOME, outcome.name())
                    .log("{}: rollout {}: {}", rollout.workload(), outcome.name(), outcome.words());
        }
        context.listener().rolloutEnded(rollout, outcome);
    }

    /** A workload went away, or its namespace is no longer watched: nobody waits for its rollout. */
    public void forget(WorkloadId id) {
        last.remove(id);
        endedBadly.remove(id);
        toQuarantine.remove(id);
        unanswered.remove(id);
        Following gone = followed.remove(id);
        if (gone != null) {
            gone.cancel();
            end(gone, new Outcome.Superseded("the workload was deleted or is no longer watched"));
        }
    }

    /** Whether a rollout of this workload is under way, or has yet to be judged. */
    public boolean running(WorkloadId id) {
        Following one = followed.get(id);
        return one != null && !one.isOld();
    }

    /** Whether the last reported rollout of this workload did not end well. */
    boolean endedBadly(WorkloadId id) {
        return endedBadly.contains(id);
    }

    /** Stops following; the rollouts continue, and the next agent that acts takes them over. */
    public void stop() {
        endedBadly.clear();
        List<Following> left =
                followed.values().stream().filter(one -> one.ended().isEmpty()).toList();
        if (!left.isEmpty()) {
            left.forEach(one -> memory.notFollowed(one.rollout()));
            memory.flush(); // before another agent reads it
        }
        followed.values().forEach(Following::cancel);
        followed.clear();
        last.clear();
        toQuarantine.clear();
        unanswered.clear();
    }
}
