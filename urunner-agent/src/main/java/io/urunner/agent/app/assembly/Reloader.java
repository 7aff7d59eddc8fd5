package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.Wiring;
import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.EffectiveValue;
import io.urunner.agent.app.config.FileStamps;
import io.urunner.agent.app.process.Signals;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the configuration again at SIGHUP, or when one of its files changed. If the new configuration is invalid, the
 * problems are reported and the previous one is kept. Has a thread of its own from {@link #start} to {@link #close}.
 */
final class Reloader implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reloader.class);
    private static final long PERIOD_MILLIS = 1_000;

    /** Secrets that are read for every use, from the current source. */
    private static final Set<String> SECRETS =
            Set.of("http.token", "http.metricsToken", "http.hooks.secret", "store.password");

    private final ScheduledExecutorService thread = new ScheduledThreadPoolExecutor(1, task -> {
        Thread made = new Thread(task, "urunner-reload");
        made.setDaemon(true);
        return made;
    });
    private final Wiring.ConfigurationReader reader;
    private final Effect effect;
    private final Consumer<Boolean> tally;
    private Configuration current;
    private FileStamps stamps;

    /** Applies a new configuration. */
    interface Effect {
        void apply(Configuration configuration) throws CommandException;
    }

    /**
     * @param first the configuration in force
     * @param reader reads it again
     * @param effect applies a new configuration, as far as possible
     * @param tally receives whether each attempt succeeded
     */
    Reloader(Configuration first, Wiring.ConfigurationReader reader, Effect effect, Consumer<Boolean> tally) {
        this.current = first;
        this.reader = reader;
        this.effect = effect;
        this.tally = tally;
        stamps = FileStamps.of(first.files());
    }

    void start() {
        Future<?> unused =
                thread.scheduleWithFixedDelay(this::lookOnceMore, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
        Signals.listen("HUP", () -> {
            try {
                thread.execute(() -> reload("SIGHUP"));
            } catch (RejectedExecutionException e) {
                LOG.debug("SIGHUP ignored: the agent is shutting down");
            }
        });
    }

    /** An exception would stop the schedule. */
    private void lookOnceMore() {
        try {
            look();
        } catch (RuntimeException | Error e) {
            LOG.error("the configuration's files could not be checked; this is a defect", e);
        }
    }

    private void look() {
        if (!FileStamps.of(current.files()).equals(stamps)) {
            reload("a file changed");
        }
    }

    private void reload(String why) {
        // Taken before the files are read: a change in between is noticed next time.
        stamps = FileStamps.of(current.files());
        boolean success = false;
        try {
            Configuration next = reader.read();
            effect.apply(next);
            announce(why, current, next);
            if (!next.files().equals(current.files())) {
                stamps = FileStamps.of(next.files());
            }
            current = next;
            success = true;
        } catch (ConfigurationException | CommandException e) {
            LOG.error("{}, but keeping the previous configuration: {}", why, e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("{}, but the configuration could not be read again; this is a defect", why, e);
        }
        tally.accept(success);
    }

    private static void announce(String why, Configuration before, Configuration next) {
        next.warnings().stream()
                .filter(warning -> !before.warnings().contains(warning))
                .forEach(LOG::warn);
        Set<String> changed = new TreeSet<>(news(next, before));
        changed.addAll(news(before, next));
        Predicate<String> takesEffect = key -> key.startsWith("log.")
                || key.contains(".credentials.")
                || (SECRETS.contains(key) && before.isSet(key) && next.isSet(key));
        String now = changed.stream().filter(takesEffect).collect(Collectors.joining(", "));
        String later = changed.stream().filter(takesEffect.negate()).collect(Collectors.joining(", "));
        LOG.info("{}: log level and credentials are read again{}", why, now.isEmpty() ? "" : "; changed: " + now);
        if (!later.isEmpty()) {
            LOG.warn("other changes take effect when the agent is restarted: {}", later);
        }
    }

    /** The keys whose value in the other configuration differs. */
    private static Set<String> news(Configuration one, Configuration other) {
        Map<String, String> others = other.values().stream()
                .collect(Collectors.toMap(EffectiveValue::key, EffectiveValue::text, (first, second) -> second));
        return one.values().stream()
                .filter(value -> !value.text().equals(others.get(value.key())))
                .map(EffectiveValue::key)
                .collect(Collectors.toSet());
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
