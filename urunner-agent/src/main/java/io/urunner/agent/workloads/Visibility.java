package io.urunner.agent.workloads;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.WatchProblem;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * How much of the cluster the agent can see: logs when it has been seen, which namespaces come and go, and what cannot be
 * seen. On the loop, unless a method says otherwise.
 */
public final class Visibility {
    private static final Logger LOG = LoggerFactory.getLogger(Visibility.class);

    /** How many namespaces a log line names. */
    private static final int NAMED = 20;

    /** How long the status lists a namespace that went away. */
    private static final Duration LOST = Duration.ofDays(1);

    private static final Duration POLL = Duration.ofMillis(50);
    private static final Duration UNREACHABLE_POLL = Duration.ofMillis(500);
    /** How long a single look waits for an API server that cannot be reached. */
    private static final Duration UNREACHABLE = Duration.ofSeconds(15);

    private final Context context;
    private final Cluster cluster;
    private volatile boolean synced;
    /** Whether any of the cluster was actually seen, rather than only that seeing it is not allowed. */
    private volatile boolean seen;

    /** The namespaces last reported to the log. */
    private Set<String> logged = Set.of();
    /** The namespaces that went away, and when. */
    private final Map<String, Instant> lost = new HashMap<>();
    /** Whether the agent is shutting down, after which it no longer sees the cluster. */
    private boolean stopped;

    public Visibility(Context context, Cluster cluster) {
        this.context = context;
        this.cluster = cluster;
    }

    /** Reports no more changes. */
    public void stop() {
        stopped = true;
    }

    /** Whether everything that the agent is allowed to see has been seen once. On any thread. */
    public boolean synced() {
        return synced;
    }

    /** Whether any of it was really there to see. On any thread. */
    public boolean hasSeenCluster() {
        return synced && seen;
    }

    /** What is wrong, for a readiness probe; empty if the cluster is seen. On any thread. */
    public Optional<String> problem() {
        Optional<String> blindness = blindness().map(problem -> ": " + problem.message());
        if (!hasSeenCluster()) {
            return Optional.of("not synced with the cluster yet" + blindness.orElse(""));
        }
        return blindness.map(why -> "cannot see the cluster" + why);
    }

    /** The namespaces that went away in the last day, and when. */
    public Map<String, Instant> lost() {
        lost.values().removeIf(at -> at.isBefore(context.now().minus(LOST)));
        return lost;
    }

    /** Runs this once everything has been seen. */
    public void whenSynced(Runnable next) {
        try {
            synced = cluster.synced();
        } finally {
            if (!synced) {
                context.loop().after(POLL, () -> whenSynced(next));
            }
        }
        if (synced) {
            reportNamespaces();
            next.run();
        }
    }

    /** Runs this if the API server cannot be reached for so long that a single look should give up, at most {@code most}. */
    public void whenUnreachable(Duration most, Runnable next) {
        pollUnreachable(Pace.min(UNREACHABLE, most), next);
    }

    private void pollUnreachable(Duration left, Runnable next) {
        if (synced) {
            return;
        }
        // A problem without a resource is not a missing permission. A single failed connection does not count yet.
        boolean trouble = cluster.problems().stream()
                .anyMatch(problem -> problem.resource().isEmpty());
        if (trouble && left.isNegative()) {
            next.run();
        } else {
            Duration then = trouble ? left.minus(UNREACHABLE_POLL) : UNREACHABLE;
            context.loop().after(UNREACHABLE_POLL, () -> pollUnreachable(then, next));
        }
    }

    /** Reports what the watch cannot see and which namespaces came or went, once per change. */
    public void report() {
        List<WatchProblem> now = cluster.problems();
        now.forEach(problem ->
                context.problems().problem(subject(problem), problem.missing(), "unseen", problem.message()));
        context.problems()
                .keepOnly("watch of ", now.stream().map(Visibility::subject).toList());
        if (synced) {
            reportNamespaces();
        }
    }

    private static String subject(WatchProblem problem) {
        // If the API server cannot be reached at all, no resource is named.
        return "watch of " + (problem.resource().isEmpty() ? "the cluster" : problem.resource())
                + problem.namespace().map(name -> " in namespace " + name).orElse("");
    }

    /** Logs once that the agent is synced with the cluster, and from then on which namespaces come and go. */
    private void reportNamespaces() {
        Set<String> now = cluster.namespaces();
        if (stopped || blindness().isPresent()) {
            return;
        }
        if (!seen) {
            seen = true;
            LOG.info(
                    "synced with the cluster: {} in {}",
                    Phrases.count(cluster.workloads().size(), "workload"),
                    Phrases.count(now.size(), "namespace"));
        } else {
            log(Level.INFO, "now watched", now, logged);
            log(
                    Level.WARN,
                    "no longer watched, because the label urunner=enable is missing or the namespace was deleted",
                    logged,
                    now);
            logged.stream().filter(name -> !now.contains(name)).forEach(name -> lost.put(name, context.now()));
            lost.keySet().removeAll(now);
        }
        logged = now;
        if (now.isEmpty()) {
            context.problems()
                    .problem(
                            "namespaces",
                            "none",
                            "no namespace in scope has the label urunner=enable, so nothing is watched: kubectl label"
                                    + " --overwrite namespace NAME urunner=enable");
        } else {
            context.problems().well("namespaces");
        }
    }

    private static void log(Level level, String what, Set<String> these, Set<String> butNot) {
        Set<String> names = new TreeSet<>(these);
        names.removeAll(butNot);
        if (!names.isEmpty()) {
            String shown = names.stream().limit(NAMED).collect(Collectors.joining(", "))
                    + (names.size() > NAMED ? " and " + (names.size() - NAMED) + " more" : "");
            LOG.atLevel(level)
                    .addKeyValue(LogField.EVENT, level == Level.INFO ? "watched" : "not_watched")
                    .addKeyValue(LogField.SUBJECT, "namespaces")
                    .log("{}: {}", what, shown);
        }
    }

    private Optional<WatchProblem> blindness() {
        return AgentStatus.blindness(cluster.problems(), cluster.namespaces());
    }
}
