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
 * Watches over the agent's queues: one that has something to do, and does nothing for longer than all its deadlines, is
 * stuck. That is a defect of the agent, whatever caused it: who is away, slow, or wants to be left alone for a day makes work
 * fail or wait for its time, and the queue moves on. On the loop; what it found can be read anywhere.
 */
public final class Watchdog implements AgentListener {
    private static final Logger LOG = LoggerFactory.getLogger(Watchdog.class);

    /** Four questions that end with their deadline, of 30 s, with nothing between; a configuration of a megabyte takes 62 s. */
    static final Duration REGISTRY = Duration.ofMinutes(2);

    /** A patch takes two requests that are each sent twice at most, of 15 s. So does an Event. */
    public static final Duration API_SERVER = Duration.ofMinutes(3);

    /** A statement may take a minute; what a new version makes of a large history, and what is pruned there, takes many. */
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

    /** {@code ticker} is the time since some fixed moment, in nanoseconds. */
    public Watchdog(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /**
     * Watches over a queue.
     *
     * @param name the queue, for the log and the metrics
     * @param patience for how long it may do nothing though there is something to do
     * @param standsStill for how long that is so
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
     * @param hosts how it stands with the registries; none before they are to be asked
     * @param requests by registry for how long requests beside the questions are under way there, and none ended
     * @param now the moment of that
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

    /** Between two passes the next is to begin at its time; in a pass answers come. */
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
                            "{}: is stuck: there is something to do, and nothing was done for {} s; this is a defect of the"
                                    + " agent. If that lasts, /livez fails after {} s in all, and the agent is started again",
                            one.queue,
                            one.standsStill.toSeconds(),
                            one.patience.multipliedBy(2).toSeconds());
        } else if (!stuck && told.remove(one.queue)) {
            LOG.atInfo()
                    .addKeyValue(LogField.EVENT, "well")
                    .addKeyValue(LogField.SUBJECT, one.queue)
                    .log("{}: moves again", one.queue);
        }
    }

    /** By queue for how long it is stuck already; zero while it moves. */
    public Map<String, Duration> stuck() {
        return found.stream()
                .collect(Collectors.toMap(Found::queue, Found::stuck, (one, other) -> other, TreeMap::new));
    }

    /** What does not mend itself, in words; empty text while there is nothing. */
    public String hopeless() {
        return found.stream()
                .filter(one -> one.standsStill.compareTo(one.patience.multipliedBy(2)) > 0)
                .map(one -> one.queue + ": is stuck for " + one.standsStill.toSeconds() + " s")
                .collect(Collectors.joining("; "));
    }
}
