package io.urunner.registry;

import java.time.Duration;

/**
 * Observes what the client does, for metrics. Implementations are thread-safe and fast, and throw nothing; they are
 * called by the threads that use the client.
 */
public interface RegistryObserver {
    /** Does nothing. */
    RegistryObserver NONE = new RegistryObserver() {};

    /**
     * A request to a registry, or to a host to which it redirected, was answered or failed.
     *
     * @param host the host that was asked, {@code host[:port]}; a registry with another {@linkplain
     *     HostOptions#withAddress address} by its name
     * @param method the HTTP method
     * @param status the HTTP status, 0 if there was no answer
     * @param elapsed the time until the answer's head
     */
    default void requested(String host, String method, int status, Duration elapsed) {}

    /**
     * A token was requested from a token server.
     *
     * @param registry the registry that the token is for, {@code host[:port]}
     * @param host the token server, {@code host[:port]}
     * @param success whether the server issued a token
     * @param elapsed the time until the answer
     */
    default void tokenFetched(String registry, String host, boolean success, Duration elapsed) {}

    /**
     * A request is about to be retried.
     *
     * @param registry the registry, {@code host[:port]}
     * @param attempt the attempt that failed, from 1
     * @param delay the wait before the next attempt
     * @param reason why the attempt failed
     */
    default void retried(String registry, int attempt, Duration delay, String reason) {}

    /**
     * A registry's {@linkplain HostOptions#withMirrors mirror} had no answer to a request for a manifest or a blob, or
     * was not asked because it could not be reached shortly before. The next mirror is asked, or the registry.
     *
     * @param registry the registry, {@code host[:port]}
     * @param mirror the mirror's URL, as it was configured
     * @param reason why
     */
    default void mirrorPassedOver(String registry, String mirror, String reason) {}

    /**
     * A host reported its rate limit.
     *
     * @param host the host, {@code host[:port]}
     * @param rateLimit what it reported
     */
    default void rateLimited(String host, RateLimit rateLimit) {}

    /**
     * A registry sent a warning ({@code Warning: 299}) that it had not sent before.
     *
     * @param host the host, {@code host[:port]}
     * @param text the warning
     */
    default void warned(String host, String text) {}
}
