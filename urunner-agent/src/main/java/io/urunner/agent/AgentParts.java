package io.urunner.agent;

import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.WatchScope;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.Retention;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What an agent is made of.
 *
 * @param kubernetes where the API server is
 * @param scope which namespaces are watched
 * @param registries which registries are watched
 * @param podCredentials what is told which pull secrets the workloads have; empty if these are not read
 * @param store where is remembered what happened
 * @param policy what holds where a workload's annotations say nothing else
 * @param limits how many rollouts may run at once
 * @param retention how much of the history is kept
 * @param instance the name of this agent among several, for example its pod's
 * @param lease by which the agent that acts is elected; empty if this is the only one
 * @param clock the time
 * @param ticker elapsed time, in nanoseconds
 * @param listeners who is told what happens
 */
public record AgentParts(
        KubeConfiguration kubernetes,
        WatchScope scope,
        List<WatchedRegistry> registries,
        Optional<PodCredentials> podCredentials,
        DigestStore store,
        Policy policy,
        Limits limits,
        Retention retention,
        String instance,
        Optional<Lease> lease,
        InstantSource clock,
        LongSupplier ticker,
        List<AgentListener> listeners) {
    public AgentParts {
        registries = List.copyOf(registries);
        listeners = List.copyOf(listeners);
    }
}
