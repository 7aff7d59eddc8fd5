package io.urunner.agent.rollouts;

import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.Ration;
import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Experience;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Quarantine;
import io.urunner.agent.plan.Standing;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes over our rollouts that this agent did not see start, as found in the store or on the workloads. On the loop.
 */
public final class Adoption {
    private static final Logger LOG = LoggerFactory.getLogger(Adoption.class);

    /** A rollout that is already over is still recorded if it was started within this time. */
    private static final Duration RECENT = Duration.ofDays(1);

    /** A time further in the future comes from a wrong clock, or is made up. */
    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);

    /** How many rollouts known only from annotations are followed per namespace and hour. */
    private static final int HEARSAY = 200;

    private static final Duration HOUR = Duration.ofHours(1);

    private final Context context;
    private final Cluster cluster;
    private final Memory memory;
    private final Rollouts rollouts;
    private final Ration hearsay;
    private final Ration past;

    public Adoption(Context context, Cluster cluster, Memory memory, Rollouts rollouts) {
        this.context = context;
        this.cluster = cluster;
        this.memory = memory;
        this.rollouts = rollouts;
        hearsay = new Ration(
                HEARSAY,
                HOUR,
                context.loop(),
                (namespace, count) -> LOG.warn(
                        "namespace {}: did not follow {} known only from annotations",
                        namespace,
                        Phrases.count(count, "rollout")));
        past = new Ration(
                HEARSAY,
                HOUR,
                context.loop(),
                (namespace, count) -> LOG.debug(
                        "namespace {}: did not record {} that had already ended",
                        namespace,
                        Phrases.count(count, "rollout")));
    }

    /** From now on this agent acts: what others started before counts as under way, as the workloads show it now. */
    public void begin(Collection<Tracked> fleet) {
        rollouts.begin();
        fleet.forEach(this::adopt);
    }

    /**
     * Follows the last rollout of a workload when the answer to its patch was lost, or the agent that started it is gone
     * and its store with it. One that is over is recorded with its outcome, if it is recent and not in the store. What is
     * found at the first look began before this agent acted and is not reported as news; its end is, if that comes later.
     */
    void adopt(Tracked one) {
        WorkloadId id = one.workload().id();
        if (rollouts.followed(id).isPresent() || one.references().isEmpty()) {
            return;
        }
        boolean first = rollouts.isFirstLook(id);
        Instant now = context.now();
        Rollout.found(one.workload())
                .filter(found -> found.requested().isBefore(now.plus(CLOCKS_DIFFER)))
                .filter(found -> !rollouts.isLast(found))
                .ifPresent(found -> adopt(one.workload(), found, now, first));
    }

    private void adopt(Workload workload, Rollout found, Instant now, boolean first) {
        WorkloadId id = workload.id();
        boolean runs = Admission.isRollingOut(workload, rollouts.patience(), now);
        Optional<Rollout> ours =
                rollouts.unanswered(id).filter(sent -> sent.id().equals(found.id()));
        if (!runs) {
            rollouts.wasOver(found);
        }
        boolean old = first && ours.isEmpty();
        Ration ration = old && !runs ? past : hearsay;
        if ((!runs && found.requested().isBefore(now.minus(RECENT)))
                || (ours.isEmpty() && !ration.take(id.namespace()))) {
            return;
        }
        Rollout rollout = ours.orElse(found);
        DigestsAnnotation digests = Standing.of(workload).digests();
        if (runs && old) {
            LOG.debug("{}: following the rollout of {}, which is under way", id, Phrases.time(found.requested()));
            rollouts.runs(rollout, digests, asPatched(workload));
        } else if (runs) {
            rollouts.started(workload, rollout, digests, asPatched(workload));
        } else {
            memory.hasRollout(rollout, recorded -> {
                if (!recorded && rollouts.followed(id).isEmpty()) {
                    rollouts.follow(
                            rollout, digests, asPatched(workload), old ? Optional.of(workload) : Optional.empty());
                }
            });
        }
    }

    private static PatchResult.Patched asPatched(Workload workload) {
        return new PatchResult.Patched(workload.resourceVersion(), workload.generation());
    }

    /** Continues to follow the rollouts that were under way when the agent stopped, if their template still says so. */
    public void resume(Memory.Past before) {
        before.recent().forEach(this::learn);
        before.unfinished().forEach(this::resume);
    }

    /** Not every failure is the image's fault: if it is, it has been written on the workload, too. */
    private void learn(Memory.PastRollout known) {
        Rollout rollout = known.rollout();
        WorkloadId id = rollout.workload();
        if (known.finished().isPresent()) {
            rollouts.isOver(rollout);
        }
        if (rollout.isHearsay()) {
            return;
        }
        Experience experience = rollouts.experience();
        experience.begun(id, rollout.images(), rollout.requested());
        Instant when = known.finished().orElse(rollout.requested());
        if (known.outcome().equals(Optional.of("succeeded"))) {
            experience.ended(id, rollout.images(), when, new Outcome.Succeeded(""));
        } else if (known.outcome().equals(Optional.of("failed"))) {
            Set<ImageDigest> failed = new HashSet<>(rollout.images());
            failed.retainAll(cluster.find(id)
                    .map(workload -> Quarantine.of(List.of(workload)).keySet())
                    .orElse(Set.of()));
            experience.ended(id, failed, when, new Outcome.Failed("", true));
        }
    }

    private void resume(Memory.PastRollout known) {
        Rollout rollout = known.rollout();
        Optional<Workload> workload = cluster.find(rollout.workload());
        Optional<DigestsAnnotation> digests = workload.flatMap(
                        found -> Optional.ofNullable(found.templateAnnotations().get(Workload.DIGESTS)))
                .flatMap(DigestsAnnotation::parse);
        boolean still = digests.isPresent()
                && rollout.changes().stream()
                        .allMatch(change -> digests.get()
                                .digest(change.container(), change.reference())
                                .equals(Optional.of(change.to())));
        Optional<Following> followed = rollouts.followed(rollout.workload());
        if (!still) {
            memory.ended(rollout, new Outcome.Superseded("it ended while no agent was following it"));
        } else if (followed.isPresent()) {
            if (followed.get().rollout().id().equals(rollout.id())) {
                followed.get().isKnownAs(rollout);
                followsAgain(known);
            }
        } else {
            followsAgain(known);
            rollouts.follow(
                    rollout,
                    digests.get(),
                    asPatched(workload.get()),
                    workload.filter(found -> !Admission.isRollingOut(found, rollouts.patience(), context.now())));
        }
    }

    private void followsAgain(Memory.PastRollout known) {
        if (known.outcome().isPresent()) {
            memory.followedAgain(known.rollout());
        }
    }
}
