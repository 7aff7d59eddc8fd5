package io.urunner.agent.app.explain;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.AgentStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.app.explain.Explanation.Entry;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.WatchProblem;
import io.urunner.store.DigestStore.RolloutRecord;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** An explanation for machines. What is not known has no member; times are in ISO 8601, in UTC. */
public final class ExplanationJson {
    private ExplanationJson() {}

    /**
     * The explanation as JSON.
     *
     * @param explanation the explanation
     * @param entries those of its workloads that are told
     * @return an object
     */
    public static ObjectNode of(Explanation explanation, List<Entry> entries) {
        AgentStatus status = explanation.status();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("source", explanation.source());
        json.put("at", Phrases.time(status.at()));
        json.put("acts", status.acts());
        status.election().flatMap(AgentStatus.Election::leader).ifPresent(leader -> json.put("leader", leader));
        json.put("synced", status.synced());
        ArrayNode namespaces = json.putArray("namespaces");
        status.namespaces().forEach(namespaces::add);
        ObjectNode lost = json.putObject("lostNamespaces");
        status.lost().forEach((name, at) -> lost.put(name, Phrases.time(at)));
        put(json, "lastPass", status.lastPass());
        json.put("historyWorks", status.historyWorks() && explanation.history().isEmpty());
        ArrayNode problems = json.putArray("problems");
        status.problems().stream().map(WatchProblem::message).forEach(problems::add);
        explanation.history().ifPresent(problems::add);
        ArrayNode registries = json.putArray("registries");
        status.registries().forEach(host -> registries.add(registry(host)));
        ArrayNode workloads = json.putArray("workloads");
        entries.forEach(entry -> workloads.add(workload(entry)));
        explanation.untracked().ifPresent(untracked -> {
            ObjectNode one = json.putObject("untracked").put("namespace", untracked.namespace());
            put(one, "workload", untracked.workload());
            one.put("exists", untracked.exists()).put("reason", untracked.reason());
            ArrayNode meant = one.putArray("meant");
            untracked.meant().forEach(id -> meant.add(id.toString()));
        });
        return json;
    }

    private static ObjectNode registry(HostStatus host) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("host", host.host())
                .put("references", host.references())
                .put("asked", host.asked())
                .put("healthy", host.healthy());
        put(json, "problem", host.problem());
        put(json, "failingSince", host.failingSince());
        put(json, "lastAnswer", host.lastAnswer());
        put(json, "nextPass", host.nextPass());
        ArrayNode waits = json.putArray("waits");
        for (HostStatus.Wait wait : host.waits()) {
            ObjectNode one = waits.addObject();
            put(one, "namespace", wait.namespace());
            one.put("cause", wait.cause().words())
                    .put("reason", wait.why())
                    .put("since", Phrases.time(wait.since()))
                    .put("until", Phrases.time(wait.until()));
        }
        return json;
    }

    private static ObjectNode workload(Entry entry) {
        AgentStatus.WorkloadStatus status = entry.status();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("workload", status.id().toString());
        State is = status.state();
        ObjectNode state = json.putObject("state");
        state.put("kind", is.kind().words());
        if (!is.cause().isEmpty()) {
            state.put("cause", is.cause());
        }
        state.put("reason", is.reason()).put("well", !is.ill());
        put(state, "since", is.since());
        put(state, "until", is.until());
        put(json, "decision", status.decision().map(Decision::words));
        put(json, "reason", status.decision().map(Decision::reason));
        put(json, "staleSince", status.staleSince());
        put(json, "nextLook", status.nextLook());
        json.put("rolloutRunning", status.rolloutRunning());
        entry.lastRollout().ifPresent(last -> json.set("lastRollout", rollout(last)));
        ArrayNode containers = json.putArray("containers");
        for (Verdict container : status.containers()) {
            ObjectNode one = containers.addObject();
            one.put("container", container.container());
            put(one, "image", Optional.ofNullable(status.images().get(container.container())));
            put(one, "reference", container.reference());
            put(one, "credential", Optional.ofNullable(entry.credentials().get(container.container())));
            put(one, "digest", container.digest());
            Optional.ofNullable(entry.before().get(container.container()))
                    .ifPresent(last -> one.putObject("lastDigest")
                            .put("digest", last.digest())
                            .put("seen", Phrases.time(last.lastSeen())));
            ArrayNode running = one.putArray("running");
            status.running()
                    .getOrDefault(container.container(), Collections.emptySortedMap())
                    .forEach((digest, pods) ->
                            running.addObject().put("digest", digest).put("pods", pods));
            one.put("verdict", container.kind().words());
            one.put("reason", container.words());
        }
        return json;
    }

    private static ObjectNode rollout(RolloutRecord rollout) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("requested", Phrases.time(rollout.requested()));
        put(json, "finished", rollout.finished());
        put(json, "outcome", rollout.outcome());
        put(json, "message", rollout.message());
        json.put("why", rollout.why());
        return json;
    }

    private static void put(ObjectNode json, String name, Optional<?> value) {
        value.ifPresent(known -> json.put(name, known instanceof Instant time ? Phrases.time(time) : known.toString()));
    }
}
