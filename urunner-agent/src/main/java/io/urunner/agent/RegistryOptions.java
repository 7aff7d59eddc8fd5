package io.urunner.agent;

import java.time.Duration;
import java.util.Optional;

/**
 * How an agent asks a registry. Immutable.
 *
 * @param interval the time between two passes over its references; empty for the agent's
 * @param concurrency how many questions may be in flight at once, 1 or more
 * @param budget a limit on the requests that are sent to it; empty for none
 */
public record RegistryOptions(Optional<Duration> interval, int concurrency, Optional<Budget> budget) {
    /** The defaults: the agent's interval, eight questions at once, no limit. */
    public static final RegistryOptions DEFAULTS = new RegistryOptions(Optional.empty(), 8, Optional.empty());

    public RegistryOptions {
        interval.ifPresent(RegistryOptions::checkInterval);
        if (concurrency < 1) {
            throw new IllegalArgumentException("the concurrency must be at least 1, not " + concurrency);
        }
    }

    static void checkInterval(Duration interval) {
        if (interval.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException("the interval must be at least one second, not " + interval);
        }
    }

    /**
     * Returns the same options with an interval of the registry's own.
     *
     * @param time the time between two passes, one second or more
     * @return the options
     */
    public RegistryOptions withInterval(Duration time) {
        return new RegistryOptions(Optional.of(time), concurrency, budget);
    }

    /**
     * Returns the same options with another number of questions at once.
     *
     * @param questions how many, 1 or more
     * @return the options
     */
    public RegistryOptions withConcurrency(int questions) {
        return new RegistryOptions(interval, questions, budget);
    }

    /**
     * Returns the same options with a limit on requests.
     *
     * @param perMinute how many requests a minute at most, 1 or more
     * @param sent counts what the client sends: it is the observer that the client was built with
     * @return the options
     */
    public RegistryOptions withBudget(int perMinute, RequestCounts sent) {
        return new RegistryOptions(interval, concurrency, Optional.of(new Budget(perMinute, sent)));
    }

    /**
     * A limit of our own for the requests to a registry.
     *
     * @param perMinute how many per minute at most
     * @param sent counts what the client sends
     */
    public record Budget(int perMinute, RequestCounts sent) {
        public Budget {
            if (perMinute < 1) {
                throw new IllegalArgumentException("a budget must be at least one request per minute");
            }
        }
    }
}
