package io.urunner.agent;

import io.urunner.registry.RateLimit;
import io.urunner.registry.RegistryObserver;
import io.urunner.registry.Repository;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Counts the requests that are actually sent to registries, for any reason, including challenges and the {@code GET}
 * that explains a refused {@code HEAD}. Thread-safe.
 */
public final class RequestCounts implements RegistryObserver {
    private final Map<String, LongAdder> sent;
    private final RegistryObserver next;

    /**
     * Creates counters that start at zero.
     *
     * @param registries the registries to count, as {@code host[:port]}; others, which anybody can name, are not counted
     * @param next is notified of everything that this is notified of
     */
    public RequestCounts(Collection<String> registries, RegistryObserver next) {
        this.next = next;
        sent = registries.stream()
                .map(Repository::apiHost)
                .distinct()
                .collect(Collectors.toUnmodifiableMap(Function.identity(), host -> new LongAdder()));
    }

    @Override
    public void requested(String host, String method, int status, Duration elapsed) {
        LongAdder count = sent.get(host);
        if (count != null) {
            count.increment();
        }
        next.requested(host, method, status, elapsed);
    }

    @Override
    public void tokenFetched(String registry, String host, boolean success, Duration elapsed) {
        next.tokenFetched(registry, host, success, elapsed);
    }

    @Override
    public void retried(String registry, int attempt, Duration delay, String reason) {
        next.retried(registry, attempt, delay, reason);
    }

    @Override
    public void mirrorPassedOver(String registry, String mirror, String reason) {
        next.mirrorPassedOver(registry, mirror, reason);
    }

    @Override
    public void rateLimited(String host, RateLimit rateLimit) {
        next.rateLimited(host, rateLimit);
    }

    @Override
    public void warned(String host, String text) {
        next.warned(host, text);
    }

    /** How many have been sent to a registry so far. */
    public long to(String registry) {
        LongAdder count = sent.get(Repository.apiHost(registry));
        return count == null ? 0 : count.sum();
    }
}
