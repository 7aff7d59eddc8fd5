package io.urunner.agent.app.cli;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.app.explain.Explanation;
import io.urunner.agent.app.explain.Explanation.Entry;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The JSON of {@code explain}. */
record ExplanationJson(
        String source,
        Instant at,
        boolean acts,
        Optional<String> leader,
        boolean synced,
        Set<String> namespaces,
        Map<String, Instant> lostNamespaces,
        Optional<Instant> lastPass,
        boolean historyWorks,
        List<String> problems,
        List<Registry> registries,
        List<Workload> workloads,
        Optional<Explanation.Untracked> untracked) {
    record Registry(
            String host,
            int references,
            boolean asked,
            boolean healthy,
            Optional<String> problem,
            Optional<Instant> failingSince,
            Optional<Instant> lastAnswer,
            Optional<Instant> nextPass,
            List<Wait> waits) {}

    record Wait(Optional<String> namespace, String cause, String reason, Instant since, Instant until) {}

    record Workload(
            WorkloadId workload,
            State state,
            Optional<String> decision,
            Optional<String> reason,
            Optional<Instant> staleSince,
            Optional<Instant> nextLook,
            boolean rolloutRunning,
            Optional<Rollout> lastRollout,
            List<Container> containers) {}

    record State(
            String kind,
            Optional<String> cause,
            String reason,
            boolean well,
            Optional<Instant> since,
            Optional<Instant> until) {}

    record Rollout(
            Instant requested,
            Optional<Instant> finished,
            Optional<String> outcome,
            Optional<String> message,
            String why) {}

    record Container(
            String container,
            Optional<String> image,
            Optional<String> reference,
            Optional<String> credential,
            Optional<String> route,
            Optional<String> digest,
            Optional<Seen> lastDigest,
            List<Running> running,
            String verdict,
            String reason) {}

    record Seen(String digest, Instant seen) {}

    record Running(String digest, int pods) {}

    /** The explanation, with only some of its workloads. */
    static ExplanationJson of(Explanation explanation, List<Entry> workloads) {
        AgentStatus status = explanation.status();
        return new ExplanationJson(
                explanation.source(),
                status.at(),
                status.acts(),
                status.election().flatMap(AgentStatus.Election::leader),
                status.synced(),
                status.namespaces(),
                status.lost(),
                status.lastPass(),
                status.historyWorks() && explanation.history().isEmpty(),
                Stream.concat(status.problems().stream().map(WatchProblem::message), explanation.history().stream())
                        .toList(),
                status.registries().stream().map(ExplanationJson::registry).toList(),
                workloads.stream().map(ExplanationJson::workload).toList(),
                explanation.untracked());
    }

    private static Registry registry(HostStatus host) {
        return new Registry(
                host.host(),
                host.references(),
                host.asked(),
                host.healthy(),
                host.problem(),
                host.failingSince(),
                host.lastAnswer(),
                host.nextPass(),
                host.waits().stream()
                        .map(wait -> new Wait(
                                wait.namespace(), wait.cause().words(), wait.why(), wait.since(), wait.until()))
                        .toList());
    }

    private static Workload workload(Entry entry) {
        WorkloadStatus status = entry.status();
        return new Workload(
                status.id(),
                state(status.state()),
                status.decision().map(decision -> decision.words()),
                status.decision().map(decision -> decision.reason()),
                status.staleSince(),
                status.nextLook(),
                status.rolloutRunning(),
                entry.lastRollout().map(ExplanationJson::rollout),
                status.containers().stream()
                        .map(container -> container(container, entry))
                        .toList());
    }

    private static State state(io.urunner.agent.plan.State state) {
        return new State(
                state.kind().words(),
                Optional.of(state.cause()).filter(cause -> !cause.isEmpty()),
                state.reason(),
                !state.ill(),
                state.since(),
                state.until());
    }

    private static Rollout rollout(RolloutRecord rollout) {
        return new Rollout(
                rollout.requested(), rollout.finished(), rollout.outcome(), rollout.message(), rollout.why());
    }

    private static Container container(Verdict verdict, Entry entry) {
        String name = verdict.container();
        Optional<TagDigest> last = Optional.ofNullable(entry.before().get(name));
        return new Container(
                name,
                Optional.ofNullable(entry.status().images().get(name)),
                verdict.reference().map(ImageReference::toString),
                Optional.ofNullable(entry.credentials().get(name)),
                Optional.ofNullable(entry.routes().get(name)),
                verdict.digest().map(Digest::toString),
                last.map(digest -> new Seen(digest.digest(), digest.lastSeen())),
                entry.status().running().getOrDefault(name, Collections.emptySortedMap()).entrySet().stream()
                        .map(running -> new Running(running.getKey(), running.getValue()))
                        .toList(),
                verdict.kind().words(),
                verdict.words());
    }
}
