package io.urunner.agent.workloads;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Turns;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The workloads to plan, namespaces taking turns: many reasons to plan a workload lead to one plan. On the loop.
 */
public final class PlanQueue {
    /** How often at most those that wait for others are planned again. */
    private static final Duration WAKE = Duration.ofSeconds(1);

    /** How often those that wait for an answer are checked, in case its arrival was not reported. */
    private static final Duration LOOK = Duration.ofSeconds(5);

    private final Loop loop;
    private final Turns<Tracked> dirty = new Turns<>(Integer.MAX_VALUE);
    /** Those that cannot be planned before something arrives: an answer, or the end of a patch. */
    private final Set<Tracked> unready = new LinkedHashSet<>();
    /** By namespace, those that wait for the rollouts of others: any change may be what they wait for. */
    private final Map<String, Waiting> waiting = new HashMap<>();

    private Runnable planner = () -> {};
    private boolean planning;
    private boolean lookingAtUnready;
    private boolean stopped;

    /** Those of a namespace that wait for the rollouts of others. */
    private static final class Waiting {
        private final Set<Tracked> workloads = new LinkedHashSet<>();
        private long woken = Long.MIN_VALUE;
        private boolean later;
    }

    public PlanQueue(Loop loop) {
        this.loop = loop;
    }

    /** {@code newPlanner} plans what is {@linkplain #next next}; it runs soon after something is added. */
    public void planWith(Runnable newPlanner) {
        planner = newPlanner;
    }

    /** Stops planning. */
    public void stop() {
        stopped = true;
    }

    /** Plans a workload soon. Those that wait for others in its namespace may continue. */
    public void plan(Tracked one) {
        add(one);
        wake(namespace(one));
        planSoon();
    }

    /** Plans workloads soon. */
    public void planAll(Collection<Tracked> several) {
        several.forEach(this::add);
        planSoon();
    }

    /** Plans those that wait for the rollouts of others, in all namespaces. */
    public void planWaiting() {
        List.copyOf(waiting.keySet()).forEach(this::wake);
        planSoon();
    }

    /** Checks again whether those that waited for an answer or a patch can be planned. */
    public void planUnready() {
        planAll(List.copyOf(unready));
    }

    private void add(Tracked one) {
        unready.remove(one);
        dirty.add(one, List.of(namespace(one)));
    }

    private static String namespace(Tracked one) {
        return one.workload().id().namespace();
    }

    private void planSoon() {
        if (!planning) {
            planning = true;
            loop.execute(this::run);
        }
    }

    private void run() {
        planning = false;
        if (stopped) {
            return;
        }
        planner.run();
        if (!dirty.isEmpty()) {
            planSoon();
        } else if (!unready.isEmpty() && !lookingAtUnready) {
            lookingAtUnready = true;
            loop.after(LOOK, () -> {
                lookingAtUnready = false;
                planUnready();
            });
        }
    }

    /** Wakes a namespace, but not too often: one where all wait and something keeps changing is not planned all the time. */
    private void wake(String namespace) {
        Waiting all = waiting.get(namespace);
        if (all == null || all.workloads.isEmpty()) {
            return;
        }
        long rest = all.woken == Long.MIN_VALUE ? 0 : WAKE.toNanos() - (loop.nanos() - all.woken);
        if (rest <= 0) {
            all.woken = loop.nanos();
            all.workloads.forEach(one -> {
                one.othersChanged();
                add(one);
            });
            all.workloads.clear();
        } else if (!all.later) {
            all.later = true;
            loop.after(Duration.ofNanos(rest), () -> {
                all.later = false;
                wake(namespace);
                planSoon();
            });
        }
    }

    /** Takes out the next workload to plan. There must be one. */
    public Turns.Turn<Tracked> next() {
        return dirty.next().orElseThrow();
    }

    /** A workload cannot be planned yet, because something that it needs has not arrived. */
    public void notReady(Tracked one) {
        unready.add(one);
    }

    /** A workload waits for the rollouts of others. */
    public void waitsForOthers(Tracked one) {
        waiting.computeIfAbsent(namespace(one), added -> new Waiting())
                .workloads
                .add(one);
    }

    /** A workload went away; {@code last} says whether it was the last one in its namespace. */
    void remove(Tracked gone, boolean last) {
        dirty.remove(gone);
        unready.remove(gone);
        waiting.computeIfPresent(namespace(gone), (name, all) -> {
            all.workloads.remove(gone);
            return all.workloads.isEmpty() && last ? null : all;
        });
    }

    /** Whether there is nothing that can be planned now. */
    public boolean isEmpty() {
        return dirty.isEmpty();
    }

    /** Whether nothing can be planned until something else happens. */
    public boolean isIdle() {
        return dirty.isEmpty() && !planning;
    }

    /** Whether there is nothing to plan at all. */
    public boolean quiet() {
        return isIdle() && unready.isEmpty();
    }
}
