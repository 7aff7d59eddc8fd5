package io.urunner.kube;

import java.time.Duration;

/**
 * How long is waited for an API server that may be gone without a word.
 *
 * @param answer until an answer must be there, to its last byte
 * @param headers until the answer to a watch must begin
 * @param tick between two looks at watches and their connections
 */
record Deadlines(Duration answer, Duration headers, Duration tick) {
    static final Deadlines DEFAULT =
            new Deadlines(Duration.ofSeconds(15), Duration.ofSeconds(5), Duration.ofSeconds(30));
}
