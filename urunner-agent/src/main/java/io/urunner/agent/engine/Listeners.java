package io.urunner.agent.engine;

import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.kube.Workload;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls several listeners; one that throws stops neither the others nor the agent. */
public final class Listeners implements AgentListener {
    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private final List<AgentListener> all;

    public Listeners(List<AgentListener> all) {
        this.all = List.copyOf(all);
    }

    private void tell(Consumer<AgentListener> what) {
        for (AgentListener listener : all) {
            try {
                what.accept(listener);
            } catch (RuntimeException | Error e) {
                LOG.error("a listener failed; this is a defect", e);
            }
        }
    }

    @Override
    public void passed(String host, Duration took) {
        tell(listener -> listener.passed(host, took));
    }

    @Override
    public void resolved(String host, String reference, String outcome, Duration took) {
        tell(listener -> listener.resolved(host, reference, outcome, took));
    }

    @Override
    public void moved(String reference, String from, String to) {
        tell(listener -> listener.moved(reference, from, to));
    }

    @Override
    public void rolloutStarted(Workload workload, Rollout rollout) {
        tell(listener -> listener.rolloutStarted(workload, rollout));
    }

    @Override
    public void rolloutEnded(Rollout rollout, Outcome outcome) {
        tell(listener -> listener.rolloutEnded(rollout, outcome));
    }

    @Override
    public void moved(Workload workload, String reference, String from, String to) {
        tell(listener -> listener.moved(workload, reference, from, to));
    }

    @Override
    public void noticed(Workload workload, Notice notice, String words, boolean maybeTold) {
        tell(listener -> listener.noticed(workload, notice, words, maybeTold));
    }

    @Override
    public void leading(boolean acts) {
        tell(listener -> listener.leading(acts));
    }

    @Override
    public void decided(Workload workload, Decision decision, boolean maybeTold) {
        tell(listener -> listener.decided(workload, decision, maybeTold));
    }

    @Override
    public void stateChanged(Workload workload, State before, State now) {
        tell(listener -> listener.stateChanged(workload, before, now));
    }

    @Override
    public void stopped(Runaway what) {
        tell(listener -> listener.stopped(what));
    }

    @Override
    public void served(Served what, String namespace) {
        tell(listener -> listener.served(what, namespace));
    }
}
