package io.urunner.agent.engine;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.OnceReport;
import io.urunner.agent.history.Memory;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.RunningDigests;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.Container;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Composes the status and the report of a single pass. On the loop. */
public final class Reports {
    private final Engine engine;
    private final Cluster cluster;
    private final Memory memory;
    private final InstantSource clock;

    public Reports(Engine engine, Cluster cluster, Memory memory, InstantSource clock) {
        this.engine = engine;
        this.cluster = cluster;
        this.memory = memory;
        this.clock = clock;
    }

    public AgentStatus status(boolean synced, Optional<AgentStatus.Election> election, Map<String, Instant> lost) {
        boolean goesOn = engine.mayAct() || election.isPresent();
        return new AgentStatus(
                clock.instant(),
                engine.mayAct(),
                election,
                synced,
                cluster.namespaces(),
                lost,
                memory.works(),
                engine.lastPass(),
                cluster.problems(),
                engine.registries().status(),
                engine.all().stream().map(one -> status(one, goesOn)).toList());
    }

    private AgentStatus.WorkloadStatus status(Tracked one, boolean goesOn) {
        State state = engine.state(one).orElse(State.NOT_PLANNED);
        Instant now = clock.instant();
        Optional<Instant> next = state.until()
                .filter(now::isBefore)
                .or(() -> one.references().stream()
                        .flatMap(reference ->
                                engine
                                        .registries()
                                        .nextLook(reference, one.workload().id().namespace())
                                        .stream())
                        .min(Comparator.naturalOrder()))
                .filter(time -> goesOn);
        return new AgentStatus.WorkloadStatus(
                one.workload().id(),
                state,
                one.plan().map(Plan::decision),
                one.plan().map(Plan::verdicts).orElse(List.of()),
                RunningDigests.of(one.workload()),
                one.workload().containers().stream()
                        .collect(Collectors.toMap(Container::name, Container::image, (first, second) -> first)),
                next,
                engine.rollouts().running(one.workload().id()),
                one.staleSince());
    }

    public OnceReport once(List<String> late) {
        List<OnceReport.Row> rows = new ArrayList<>();
        List<String> hindrances = new ArrayList<>(late);
        cluster.problems().forEach(problem -> hindrances.add(problem.message()));
        engine.registries()
                .status()
                .forEach(host -> host.problem().ifPresent(problem -> hindrances.add(host.host() + ": " + problem)));
        for (Tracked one : engine.all()) {
            String id = one.workload().id().toString();
            Optional<Decision> planned = one.plan().map(Plan::decision);
            // What was just rolled out is already in progress; the table shows what was decided.
            Optional<Decision> decision =
                    one.restarted().<Decision>map(restart -> restart).or(() -> planned);
            if (one.restarted().isEmpty()) {
                planned.filter(Reports::hindered).ifPresent(why -> hindrances.add(id + ": " + why.reason()));
            }
            one.attempts().problem().ifPresent(problem -> hindrances.add(id + ": " + problem));
            for (Verdict verdict : one.plan().map(Plan::verdicts).orElse(List.of())) {
                rows.add(new OnceReport.Row(
                        id,
                        verdict.container(),
                        verdict.reference().map(ImageReference::toString),
                        verdict.digest().map(Digest::toString),
                        verdict.kind() == Verdict.Kind.NOT_WATCHED
                                ? verdict.kind().words()
                                : decision.map(Decision::words).orElse("undecided"),
                        verdict.kind() == Verdict.Kind.NOT_WATCHED
                                ? verdict.words()
                                : decision.map(Decision::reason).orElse("")));
            }
        }
        return new OnceReport(rows, hindrances.stream().distinct().toList());
    }

    private static boolean hindered(Decision decision) {
        if (decision instanceof Decision.Deferred deferred) {
            return switch (deferred.cause()) {
                case NOT_ASKED_YET,
                        UNCONFIRMED,
                        ANSWER_TOO_OLD,
                        TAG_NOT_FOUND,
                        NO_CREDENTIAL,
                        CREDENTIAL_REJECTED,
                        ACCESS_DENIED,
                        RATE_LIMITED,
                        REQUEST_BUDGET,
                        REGISTRY_UNREACHABLE,
                        REGISTRY_CONFUSED,
                        CONTENT_UNREAD,
                        CONTENT_UNKNOWN -> true;
                default -> false;
            };
        }
        return (decision instanceof Decision.Blocked blocked && blocked.cause() == Blockage.PERMISSION)
                || decision instanceof Decision.Restart;
    }
}
