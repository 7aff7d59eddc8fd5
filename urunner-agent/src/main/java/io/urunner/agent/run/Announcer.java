package io.urunner.agent.run;

import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Plan;
import io.urunner.kube.Workload;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells what was decided, to the log and to the listener: once, not with every plan that says the same. On the loop. */
final class Announcer {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

    private final AgentListener listener;

    Announcer(AgentListener listener) {
        this.listener = listener;
    }

    /** A workload was planned. */
    void planned(Tracked one, Plan plan) {
        Workload workload = one.workload();
        Decision decision = plan.decision();
        plan.notices().forEach(notice -> LOG.info("{}: {}", workload.id(), notice));
        Optional<String> words = Optional.of(decision.words());
        if (one.told.equals(words)) {
            return;
        }
        one.told = words;
        listener.decided(workload, decision);
        String subject = workload.id().toString();
        if (decision instanceof Decision.Blocked blocked && blocked.cause() != Blockage.PERMISSION) {
            LOG.info("{}: {}: {}", subject, decision.words(), decision.reason());
        } else if (decision instanceof Decision.UpToDate done
                && done.diagnosis().isPresent()) {
            LOG.warn("{}: {}", subject, done.diagnosis().get());
        } else {
            LOG.debug("{}: {}: {}", subject, decision.words(), decision.reason());
        }
    }
}
