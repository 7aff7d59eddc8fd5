package io.urunner.agent.app.metrics;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.plan.State;
import io.urunner.registry.RateLimit;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The agent's state as gauges. Nothing is kept from one scrape to the next, so what is no longer watched is no longer
 * served.
 */
final class StatusCollector implements MultiCollector {
    private static final Duration NONE = Duration.ZERO;

    private final StatusSource source;
    private final Function<String, Optional<RateLimit>> rateLimit;
    private final Supplier<Map<String, Duration>> stuck;

    StatusCollector(
            StatusSource source,
            Function<String, Optional<RateLimit>> rateLimit,
            Supplier<Map<String, Duration>> stuck) {
        this.source = source;
        this.rateLimit = rateLimit;
        this.stuck = stuck;
    }

    @Override
    public MetricSnapshots collect() {
        MetricSnapshots.Builder all = queues();
        try {
            source.status().ifPresent(status -> addTo(all, status));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return all.build();
    }

    /** Served even if the agent does not report its status. */
    private MetricSnapshots.Builder queues() {
        Family queues = new Family(
                "urunner_queue_stuck_seconds",
                "How long a queue of the agent has been stuck although it has work; 0 while it makes progress.");
        stuck.get().forEach((queue, time) -> queues.add(Labels.of("queue", queue), seconds(time)));
        return queues.addTo(MetricSnapshots.builder());
    }

    private void addTo(MetricSnapshots.Builder all, AgentStatus status) {
        all.metricSnapshot(single("urunner_leader", "1 if this agent is the one that acts.", status.acts()))
                .metricSnapshot(single(
                        "urunner_synced", "1 once everything watched has been seen in the cluster.", status.synced()))
                .metricSnapshot(single(
                        "urunner_namespaces",
                        "Watched namespaces: those with the label.",
                        status.namespaces().size()))
                .metricSnapshot(single(
                        "urunner_history_up",
                        "1 if the history database worked when it was last used.",
                        status.historyWorks()))
                .metricSnapshot(single(
                        "urunner_watch_problems",
                        "Kinds of objects that currently cannot be watched in the cluster.",
                        status.problems().size()));
        status.lastPass()
                .ifPresent(last -> all.metricSnapshot(single(
                        "urunner_last_pass_timestamp_seconds",
                        "When the last pass over a registry ended.",
                        seconds(Duration.between(Instant.EPOCH, last)))));
        Family lost = new Family(
                "urunner_namespace_lost_timestamp_seconds",
                "When a namespace lost the label, or was deleted; served for a day.");
        status.lost()
                .forEach((name, at) -> lost.add(
                        Labels.of("namespace", Words.name(name)), seconds(Duration.between(Instant.EPOCH, at))));
        registries(workloads(lost.addTo(all), status), status);
    }

    private void registries(MetricSnapshots.Builder all, AgentStatus status) {
        Family up = new Family("urunner_registry_up", "1 if the registry answered the last question.");
        Family references = new Family("urunner_registry_references", "References that the registry is asked for.");
        Family waits = new Family(
                "urunner_registry_waits_until_timestamp_seconds",
                "Until when questions to the registry wait: because of its limit, its back-off or our budget.");
        Family remaining = new Family(
                "urunner_registry_rate_limit_remaining", "What is left of the registry's limit, if it reports one.");
        for (HostStatus host : status.registries()) {
            Labels labels = Labels.of("registry", Words.name(host.host()));
            up.add(labels, host.healthy() ? 1 : 0);
            references.add(labels, host.references());
            host.waits().stream()
                    .map(HostStatus.Wait::until)
                    .max(Comparator.naturalOrder())
                    .ifPresent(until -> waits.add(labels, seconds(Duration.between(Instant.EPOCH, until))));
            rateLimit
                    .apply(host.host().replaceFirst("/.*", ""))
                    .ifPresent(limit -> limit.remaining().ifPresent(left -> remaining.add(labels, (double) left)));
        }
        waits.addTo(remaining.addTo(references.addTo(up.addTo(all))));
    }

    private MetricSnapshots.Builder workloads(MetricSnapshots.Builder all, AgentStatus status) {
        Map<Labels, Integer> inState = new TreeMap<>();
        Family states = new Family(
                "urunner_workload_state",
                "1 for the current state of the workload; ill says whether it needs attention.");
        Family staleness = new Family(
                "urunner_workload_staleness_seconds",
                "Time since the tag moved while the pods have not; 0 if they have.");
        Family waits = new Family(
                "urunner_workload_waits_until_timestamp_seconds",
                "Until when the workload waits, if it waits and the time is known.");
        int running = 0;
        for (WorkloadStatus workload : status.workloads()) {
            running += workload.rolloutRunning() ? 1 : 0;
            Labels id = Labels.of(
                    "namespace", Words.name(workload.id().namespace()),
                    "kind", workload.id().kind().kind(),
                    "name", Words.name(workload.id().name()));
            State state = workload.state();
            Labels kind = Labels.of("state", Words.label(state.kind().words()));
            Labels kindAndCause = kind.add("cause", Words.label(state.cause()));
            Labels labels = id.merge(kind);
            inState.merge(kindAndCause, 1, Integer::sum);
            states.add(id.merge(kindAndCause).add("ill", String.valueOf(state.ill())), 1);
            state.until()
                    .ifPresent(until ->
                            waits.add(id.merge(kindAndCause), seconds(Duration.between(Instant.EPOCH, until))));
            staleness.add(
                    labels,
                    seconds(workload.staleSince()
                            .map(since -> Duration.between(since, status.at()))
                            .orElse(NONE)));
        }
        Family counts = new Family("urunner_workloads", "Watched workloads by state.");
        inState.forEach(counts::add);
        return waits.addTo(states.addTo(staleness.addTo(counts.addTo(all))))
                .metricSnapshot(single("urunner_rollouts_running", "Rollouts in progress.", running));
    }

    private static double seconds(Duration time) {
        return Math.max(0, time.toMillis() / 1000.0);
    }

    private static GaugeSnapshot single(String name, String help, boolean yes) {
        return single(name, help, yes ? 1 : 0);
    }

    private static GaugeSnapshot single(String name, String help, double value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
                .build();
    }

    /** A gauge with labels; not served while it has no value. */
    private static final class Family {
        private final GaugeSnapshot.Builder gauge;
        private boolean empty = true;

        Family(String name, String help) {
            gauge = GaugeSnapshot.builder().name(name).help(help);
        }

        void add(Labels labels, double value) {
            empty = false;
            gauge.dataPoint(
                    GaugeDataPointSnapshot.builder().labels(labels).value(value).build());
        }

        MetricSnapshots.Builder addTo(MetricSnapshots.Builder all) {
            return empty ? all : all.metricSnapshot(gauge.build());
        }
    }
}
