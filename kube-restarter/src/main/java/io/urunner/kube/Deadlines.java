package io.urunner.kube;

import java.time.Duration;

/**
 * How long to wait for an API server that may have gone away silently.
 *
 * @param answer until an answer must be complete
 * @param headers until the answer to a watch must start
 * @param tick between two checks of the watches and their connections
 */
record Deadlines(Duration answer, Duration headers, Duration tick) {
    static final Deadlines DEFAULT =
            new Deadlines(Duration.ofSeconds(15), Duration.ofSeconds(5), Duration.ofSeconds(30));
}
