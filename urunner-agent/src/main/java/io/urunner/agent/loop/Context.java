package io.urunner.agent.loop;

import io.urunner.agent.AgentListener;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;

/**
 * What every package of the engine shares.
 *
 * @param loop the thread that owns the engine's state
 * @param clock the time
 * @param problems logs what is wrong, and limits the number of lines
 * @param listener is notified of what happens
 * @param acting whether this agent is the one that acts now
 */
public record Context(
        Loop loop, InstantSource clock, StateLog problems, AgentListener listener, BooleanSupplier acting) {
    /** Whether this agent is the one that acts now. */
    public boolean mayAct() {
        return acting.getAsBoolean();
    }

    public Instant now() {
        return clock.instant();
    }
}
