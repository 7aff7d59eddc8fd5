package io.urunner.agent.app.metrics;

import io.urunner.agent.AgentStatus;
import java.util.Optional;

/** Tells how it stands with the agent. Thread-safe. */
@FunctionalInterface
public interface StatusSource {
    /**
     * How it stands now.
     *
     * @return the status; empty if the agent does not say
     * @throws InterruptedException if the thread is interrupted
     */
    Optional<AgentStatus> status() throws InterruptedException;
}
