package io.urunner.agent.engine;

import io.urunner.agent.AgentListener;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Admission;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.ContainerFacts;
import io.urunner.agent.plan.Content;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Facts;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.Planner;
import io.urunner.agent.plan.Tracking;
import io.urunner.agent.rollouts.Execution;
import io.urunner.agent.rollouts.Rollouts;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.workloads.Fleet;
import io.urunner.agent.workloads.PlanQueue;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans the workloads of the queue: gathers the facts for the {@link Planner}, asks {@link Admission} which rollouts may
 * start now, and has {@link Execution} carry out the decisions. On the loop.
 */
final class Planning {
    private static final Logger LOG = LoggerFactory.getLogger(Planning.class);

    /** The deferrals that wait for the rollouts of others. */
    private static final Set<Deferral> WAITS = EnumSet.of(Deferral.BUDGET, Deferral.CANARY, Deferral.FAILED_ELSEWHERE);

    /** How many plans are made before the loop does something else. */
    private static final int AT_ONCE = 50;

    private final Context context;
    private final Registries registries;
    private final Memory memory;
    private final Fleet fleet;
    private final PlanQueue queue;
    private final Rollouts rollouts;
    private final Execution execution;

    Planning(
            Context context,
            Registries registries,
            Memory memory,
            Fleet fleet,
            PlanQueue queue,
            Rollouts rollouts,
            Execution execution) {
        this.context = context;
        this.registries = registries;
        this.memory = memory;
        this.fleet = fleet;
        this.queue = queue;
        this.rollouts = rollouts;
        this.execution = execution;
    }

    /** Plans some of the workloads of the queue. */
    void run() {
        Map<Tracked, Plan> plans = new LinkedHashMap<>();
        for (int made = 0; made < AT_ONCE && !queue.isEmpty(); ) {
            Turns.Turn<Tracked> turn = queue.next();
            Tracked one = turn.item();
            if (isReady(one)) {
                made++;
                context.listener().served(AgentListener.Served.PLAN, turn.namespace());
                alone(one.workload().id(), () -> plan(one).ifPresent(plan -> plans.put(one, plan)));
            } else {
                queue.notReady(one);
            }
        }
        admitted(plans).forEach((one, plan) -> alone(one.workload().id(), () -> execution.carryOut(one, plan)));
        if (execution.quiet() && queue.isIdle()) {
            memory.flushDue();
        }
    }

    private boolean isReady(Tracked one) {
        String namespace = one.workload().id().namespace();
        return !one.attempts().underWay()
                && !one.outdated()
                && one.references().stream().noneMatch(reference -> registries.pending(reference, namespace));
    }

    /** A failure at one workload does not keep the others from being planned. */
    void alone(WorkloadId id, Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            if (!context.problems().mayTell(id.namespace())) {
                return;
            }
            LOG.error("{} cannot be planned; this is a defect, the other workloads are not affected", id, e);
        }
    }

    /**
     * The plan of one workload; empty while content that it depends on is read, and if it was made over and over although
     * nothing that it depends on changed. It is then left alone until something does, at the latest with the next answer
     * of the registry.
     */
    private Optional<Plan> plan(Tracked one) {
        Facts facts = facts(one);
        List<Object> fromOutside = new ArrayList<>(List.of(facts.seen(), facts.missingPermission()));
        one.references()
                .forEach(reference -> fromOutside.add(
                        registries.answer(reference, one.workload().id().namespace())));
        String subject = subject(one.workload().id());
        if (one.mayPlanOn(fromOutside)) {
            context.problems().well(subject);
            Planner planner = Planner.of(facts);
            if (registries.fetch(planner.unread(), one.workload().id().namespace())) {
                queue.notReady(one);
                return Optional.empty();
            }
            return Optional.of(planner.plan());
        }
        if (one.isFirstTooMany()) {
            context.problems()
                    .problem(
                            subject,
                            "planned over and over",
                            "the same plan was made over and over; this is a defect of the agent, and was stopped");
            context.listener().stopped(AgentListener.Runaway.PLAN);
        }
        return Optional.empty();
    }

    /** The subject of log lines about the plans of a workload. */
    static String subject(WorkloadId id) {
        return id + " plans";
    }

    private Facts facts(Tracked one) {
        Map<String, ContainerFacts> containers = new HashMap<>();
        String namespace = one.workload().id().namespace();
        one.containers().forEach((container, tracking) -> {
            if (tracking instanceof Tracking.Follows follows) {
                ImageReference reference = follows.reference();
                Answer answer = registries.answer(reference, namespace);
                Content content = answer instanceof Answer.Resolved resolved
                        ? registries.content(reference, resolved.digest(), namespace)
                        : new Content.Unread();
                containers.put(
                        container,
                        new ContainerFacts.Tracked(
                                reference, answer, content, memory.digest(one.key(container, reference))));
            } else if (tracking instanceof Tracking.Ignored ignored) {
                containers.put(container, ignored.untracked());
            }
        });
        return new Facts(
                one.workload(),
                one.seen(),
                one.policy(),
                containers,
                fleet.quarantined(namespace),
                one.attempts().missingPermission(),
                context.now());
    }

    /** The plans after admission: a restart that must wait for the rollouts of other workloads is deferred. */
    private Map<Tracked, Plan> admitted(Map<Tracked, Plan> plans) {
        if (plans.values().stream().noneMatch(plan -> plan.decision() instanceof Decision.Restart)) {
            return plans;
        }
        Map<Tracked, Plan> admitted = new LinkedHashMap<>();
        for (Plan plan : rollouts.admission().admit(plans.values())) {
            Tracked one = fleet.find(plan.workload()).orElseThrow();
            admitted.put(one, plan);
            if (plan.decision() instanceof Decision.Deferred deferred && WAITS.contains(deferred.cause())) {
                queue.waitsForOthers(one);
            }
        }
        return admitted;
    }
}
