package io.urunner.agent.engine;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Pace;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the agent's queues: one that has work and does nothing for longer than all its deadlines is stuck. That is a
 * defect of the agent, regardless of the cause: a server that is away, slow, or must not be asked for a day makes work
 * fail or wait, and the queue moves on. On the loop; what it found can be read on any thread.
 */
public final class Watchdog implements AgentListener {
    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);

    /** Four questions in a row that each run into their deadline of 30 s; a configuration of a megabyte takes 62 s. */
    static final Duration REGISTRY = Duration.ofMinutes(2);

    /** A patch takes two requests of up to 15 s, each sent twice at most. So does an Event. */
    public static final Duration API_SERVER = Duration.ofMinutes(3);

    /** A statement may take a minute; migrating or pruning a large history takes many. */
    public static final Duration STORE = Duration.ofMinutes(15);

    private final LongSupplier ticker;
    private final List<Queue> queues = new ArrayList<>();
    private final Map<String, Registry> registries = new HashMap<>();
    private final Set<String> told = new TreeSet<>();
    private volatile List<Found> found = List.of();

    private record Queue(String name, Duration patience, Supplier<Duration> standsStill) {}

    private static final class Registry {
        private Optional<HostStatus> last = Optional.empty();
        private long moved;
    }

    private record Found(String queue, Duration patience, Duration standsStill) {
        Duration stuck() {
            return Pace.max(standsStill.minus(patience), Duration.ZERO);
        }
    }

    /** {@code ticker} gives the time since some fixed moment, in nanoseconds. */
    public Watchdog(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /**
     * Watches a queue.
     *
     * @param name the queue, for the log and the metrics
     * @param patience how long it may do nothing although there is work
     * @param standsStill how long it has done nothing
     */
    public void watch(String name, Duration patience, Supplier<Duration> standsStill) {
        queues.add(new Queue(name, patience, standsStill));
    }

    @Override
    public void resolved(String host, String reference, String outcome, Duration took) {
        registries.computeIfAbsent(host, added -> new Registry()).moved = ticker.getAsLong();
    }

    /**
     * Looks at all queues.
     *
     * @param hosts the status of the registries; none until they are to be asked
     * @param requests by registry, how long requests other than questions have been under way without one ending
     * @param now the current time
     */
    public void look(List<HostStatus> hosts, Map<String, Duration> requests, Instant now) {
        List<Found> all = new ArrayList<>();
        hosts.forEach(host -> all.add(new Found(
                "registry " + host.host(),
                REGISTRY,
                Pace.max(standsStill(host, now), requests.getOrDefault(host.host(), Duration.ZERO)))));
        queues.forEach(queue -> all.add(new Found(queue.name, queue.patience, queue.standsStill.get())));
        found = List.copyOf(all);
        all.forEach(this::tell);
    }

    /** Between two passes, the next one should begin on time; during a pass, answers should arrive. */
    private Duration standsStill(HostStatus host, Instant now) {
        Registry registry = registries.computeIfAbsent(host.host(), added -> new Registry());
        if (!registry.last.equals(Optional.of(host))) {
            registry.last = Optional.of(host);
            registry.moved = ticker.getAsLong();
        }
        return host.nextPass()
                .map(due -> Pace.max(Duration.between(due, now), Duration.ZERO))
                .orElseGet(() -> Duration.ofNanos(ticker.getAsLong() - registry.moved));
    }

    private void tell(Found one) {
        boolean stuck = !one.stuck().isZero();
        if (stuck && told.add(one.queue)) {
            LOG.atError()
                    .addKeyValue(LogField.EVENT, "stuck")
                    .addKeyValue(LogField.SUBJECT, one.queue)
                    .log(
                            "{}: is stuck: there is work to do, but nothing has been done for {} s; this is a defect of the"
                                    + " agent. If this lasts, /livez fails after {} s in total, and the agent is restarted",
                            one.queue,
                            one.standsStill.toSeconds(),
                            one.patience.multipliedBy(2).toSeconds());
        } else if (!stuck && told.remove(one.queue)) {
            LOG.atInfo()
                    .addKeyValue(LogField.EVENT, "well")
                    .addKeyValue(LogField.SUBJECT, one.queue)
                    .log("{}: recovered", one.queue);
        }
    }

    /** How long each queue has been stuck; zero while it moves. */
    public Map<String, Duration> stuck() {
        return found.stream()
                .collect(Collectors.toMap(Found::queue, Found::stuck, (one, other) -> other, TreeMap::new));
    }

    /** What does not recover by itself, in words; an empty string if there is nothing. */
    public String hopeless() {
        return found.stream()
                .filter(one -> one.standsStill.compareTo(one.patience.multipliedBy(2)) > 0)
                .map(one -> one.queue + ": has been stuck for " + one.standsStill.toSeconds() + " s")
                .collect(Collectors.joining("; "));
    }
}
