package io.urunner.agent.app.metrics;

import io.urunner.agent.AgentStatus;
import java.util.Optional;

/** Reports the agent's status. Thread-safe. */
@FunctionalInterface
public interface StatusSource {
    /**
     * The current status.
     *
     * @return the status; empty if the agent does not report it
     * @throws InterruptedException if the thread is interrupted
     */
    Optional<AgentStatus> status() throws InterruptedException;
}
