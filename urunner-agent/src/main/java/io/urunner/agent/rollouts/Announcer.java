package io.urunner.agent.rollouts;

import io.urunner.agent.AgentListener;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.Workload;
import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Reports decisions to the log and to the listener: once, not with every plan that says the same. On the loop. */
final class Announcer {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

    /** Deferrals after which something else is decided a moment later. */
    private static final Set<Deferral> PASSING =
            EnumSet.of(Deferral.NOT_ASKED_YET, Deferral.UNCONFIRMED, Deferral.CONTENT_UNREAD, Deferral.ANSWER_TOO_OLD);

    private final Context context;
    private final AgentListener listener;

    Announcer(Context context) {
        this.context = context;
        listener = context.listener();
    }

    /**
     * A workload was planned.
     *
     * @param old whether the workload or the store show that it was so before; asked at the first look, and for what only a
     *     second look finds
     */
    void planned(Tracked one, Plan plan, BooleanSupplier old) {
        Workload workload = one.workload();
        Decision decision = plan.decision();
        boolean first = one.told().nothing();
        one.told().notices(plan.notices()).forEach(notice -> {
            boolean disturbed = isHeld(decision);
            say(disturbed ? Level.WARN : Level.INFO, workload, notice);
            listener.noticed(
                    workload,
                    disturbed ? AgentListener.Notice.HOLD_DISTURBED : AgentListener.Notice.HOLD_ENDED,
                    notice,
                    first);
        });
        if (isNew(one, plan)) {
            boolean diagnosed = decision instanceof Decision.UpToDate done
                    && done.diagnosis().isPresent();
            if ((first || diagnosed) && old.getAsBoolean()) {
                log(Level.DEBUG, workload, decision);
            } else {
                tell(workload, decision, first);
            }
        }
    }

    /** A workload was planned while another agent acts; that agent reports it. */
    void noted(Tracked one, Plan plan) {
        one.told().notices(plan.notices());
        isNew(one, plan);
    }

    /** Another agent acted until {@code since}: nobody may have reported what was decided after that. */
    void takesOver(Tracked one, Instant since) {
        one.told().forgetAfter(since);
    }

    private boolean isNew(Tracked one, Plan plan) {
        return !isPassing(plan) && one.told().decision(plan.decision().words() + " " + about(plan), context.now());
    }

    /**
     * A workload is in this state now.
     *
     * @param known whether it was so before this agent started, or the end of its rollout, followed until now, reported it
     */
    void state(Tracked one, Optional<State> before, State now, boolean known) {
        boolean recovered = one.told().pods(now.kind() == State.Kind.UP_TO_DATE, isIll(now));
        if (before.isEmpty()
                || known
                || (before.get().kind() == now.kind() && before.get().ill() == now.ill())) {
            return;
        }
        if (isIll(now)) {
            say(Level.WARN, one.workload(), now.words() + ": " + now.reason());
            listener.stateChanged(one.workload(), before.get(), now);
        } else if (recovered) {
            say(Level.INFO, one.workload(), "recovered: " + now.reason());
            listener.stateChanged(one.workload(), before.get(), now);
        }
    }

    /** Whether its pods are not what they should be; waiting and blocked workloads are reported with the decision. */
    private static boolean isIll(State state) {
        return switch (state.kind()) {
            case FAILED, STILL_OLD, PARTLY_OLD -> state.ill();
            case UP_TO_DATE, ROLLING_OUT, HELD, WAITING, BLOCKED, NOT_WATCHED, UNKNOWN -> false;
        };
    }

    /** A rollout is about to start, and people should know this first. */
    void warns(Workload workload, String warning) {
        say(Level.WARN, workload, warning);
        listener.noticed(workload, AgentListener.Notice.PULL_POLICY, warning, false);
    }

    private void tell(Workload workload, Decision decision, boolean maybeTold) {
        listener.decided(workload, decision, maybeTold);
        log(level(decision), workload, decision);
    }

    private void log(Level level, Workload workload, Decision decision) {
        // With DEBUG, every decision is logged.
        if (level != Level.DEBUG && !context.problems().mayTell(workload.id().namespace())) {
            return;
        }
        LOG.atLevel(level)
                .addKeyValue(LogField.EVENT, "decided")
                .addKeyValue(LogField.WORKLOAD, workload.id())
                .addKeyValue(LogField.DECISION, decision.words())
                .log("{}: {}: {}", workload.id(), decision.words(), decision.reason());
    }

    private static Level level(Decision decision) {
        if (decision instanceof Decision.Blocked blocked && blocked.cause() != Blockage.PERMISSION) {
            return blocked.cause().isTrouble() ? Level.WARN : Level.INFO;
        }
        if (decision instanceof Decision.Deferred deferred && deferred.cause().isPlanned()) {
            return Level.INFO;
        }
        return decision instanceof Decision.UpToDate done && done.diagnosis().isPresent() ? Level.WARN : Level.DEBUG;
    }

    private void say(Level level, Workload workload, String notice) {
        if (!context.problems().mayTell(workload.id().namespace())) {
            return;
        }
        LOG.atLevel(level)
                .addKeyValue(LogField.EVENT, "notice")
                .addKeyValue(LogField.WORKLOAD, workload.id())
                .log("{}: {}", workload.id(), notice);
    }

    private static boolean isHeld(Decision decision) {
        return decision instanceof Decision.Blocked blocked && blocked.cause() == Blockage.HOLD;
    }

    /** Which digest a hold keeps away is also known only a moment later. */
    private static boolean isPassing(Plan plan) {
        Decision decision = plan.decision();
        if (isHeld(decision)) {
            return plan.verdicts().stream()
                    .anyMatch(
                            verdict -> verdict.cause().filter(PASSING::contains).isPresent());
        }
        return decision instanceof Decision.Deferred deferred && PASSING.contains(deferred.cause());
    }

    /** Tells apart decisions with the same words: the digests that they are about, or wrong annotations. */
    private static String about(Plan plan) {
        if (plan.decision() instanceof Decision.Blocked blocked
                && (blocked.cause() == Blockage.POLICY || blocked.cause() == Blockage.TOO_LARGE)) {
            return blocked.reason();
        }
        return plan.verdicts().stream()
                .filter(Announcer::isOfInterest)
                .map(verdict -> verdict.container() + "="
                        + (verdict.kind() == Verdict.Kind.REJECTED
                                ? verdict.words() // a pin that does not last is nothing new at the next push
                                : verdict.digest().map(Digest::toString).orElse("")))
                .collect(Collectors.joining(" "));
    }

    private static boolean isOfInterest(Verdict verdict) {
        return switch (verdict.kind()) {
            case STALE, REJECTED, STILL_OLD -> true;
            case UP_TO_DATE, IN_PROGRESS, UNRESOLVED, NOT_WATCHED -> false;
        };
    }
}
