package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.State;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.testing.LogCapture;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Registries that fail, are limited, or require a credential. */
class RegistryTroubleTest extends EngineScene {
    @Test
    void aWorkloadWaitsForALimitOnceItsAnswerIsTooOldAndRecoversAfterwards() {
        WorkloadId id = cluster.deployment("web", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE);
        Instant resets = loop.instant().plus(Duration.ofHours(6));
        registry.limit = Optional.of(new WatchedRegistry.Allowance(0, resets));
        loop.advance(INTERVAL.multipliedBy(4));
        State waiting = state(engine, id);
        assertThat(waiting.kind()).isEqualTo(State.Kind.WAITING);
        assertThat(waiting.cause()).isEqualTo(Deferral.RATE_LIMITED.words());
        assertThat(waiting.until()).contains(resets);
        assertThat(waiting.since()).isPresent();
        assertThat(waiting.reason()).contains("limit is used up", Phrases.time(resets));
        loop.advance(Duration.ofHours(6));
        assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE);
        assertThat(stopped).isEmpty();
    }

    @Test
    void aWorkloadWaitsForAnUnreachableRegistryThatIsAskedOnlyForOthers() {
        List<WorkloadId> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(cluster.deployment("web" + i, digest(9), "r.example/x" + i + ":latest"));
        }
        Engine engine = start();
        loop.advance(INTERVAL);
        registry.down.add("r.example");
        loop.advance(INTERVAL.multipliedBy(5));
        assertThat(ids).allSatisfy(id -> {
            assertThat(state(engine, id).cause()).isEqualTo(Deferral.REGISTRY_UNREACHABLE.words());
            assertThat(state(engine, id).until().orElseThrow()).isAfter(loop.instant());
        });
        registry.down.clear();
        loop.advance(Duration.ofMinutes(11));
        assertThat(ids).allSatisfy(id -> assertThat(state(engine, id).kind()).isEqualTo(State.Kind.UP_TO_DATE));
        assertThat(stopped).isEmpty();
    }

    @Test
    void aWorkloadThatWaitsForOurOwnBudgetIsNotIll() {
        registry.budget = OptionalInt.of(1);
        List<WorkloadId> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(cluster.deployment("web" + i, digest(9), "r.example/x" + i + ":latest"));
        }
        Engine engine = start();
        loop.advance(INTERVAL);
        List<State> waiting = ids.stream()
                .map(id -> state(engine, id))
                .filter(state -> state.cause().equals(Deferral.REQUEST_BUDGET.words()))
                .toList();
        assertThat(waiting).hasSizeGreaterThanOrEqualTo(3).allSatisfy(state -> {
            assertThat(state.kind()).isEqualTo(State.Kind.WAITING);
            assertThat(state.ill()).isFalse();
            assertThat(state.until()).isPresent();
        });
        assertThat(stopped).isEmpty();
    }

    @Test
    void noRegistryIsReportedUnusedWhileSomethingCannotBeSeen() {
        cluster.deployment("a", D1, APP);
        cluster.hidden.add(new WatchProblem(
                "pods",
                Optional.of("shop"),
                Optional.of(new Permission("list", "", "pods", Optional.of("shop"))),
                "not allowed to list pods in namespace shop"));
        try (LogCapture log = new LogCapture()) {
            start();
            loop.advance(INTERVAL.multipliedBy(3));
            assertThat(log.lines()).noneMatch(line -> line.contains("use of registry"));
            cluster.hidden.clear();
            loop.advance(INTERVAL);
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("use of registry q.example"))
                    .hasSize(1);
        }
    }

    @Test
    void aFailingRegistryDefersItsWorkloadsAndNoOthers() {
        WorkloadId app = cluster.deployment("app", D1, APP);
        WorkloadId both = cluster.deployment("both", D1, APP, OTHER);
        registry.down.add("q.example");
        Engine engine = start();
        push(D2);
        assertThat(cluster.patches).containsExactly(app);
        assertThat(decision(engine, both))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.REGISTRY_UNREACHABLE));
        registry.down.clear();
        loop.advance(INTERVAL.multipliedBy(4));
        assertThat(cluster.patches).containsExactly(app, both);
    }

    @Test
    void anOutdatedAnswerIsNotActedOn() {
        WorkloadId first = cluster.deployment("first", D1, OTHER);
        start();
        registry.down.add("q.example");
        loop.advance(INTERVAL.multipliedBy(10));
        // Its pods are older than what the registry said long ago, but the tag may have moved since.
        WorkloadId late = cluster.deployment("late", D3, OTHER);
        loop.settle();
        assertThat(cluster.patches).isEmpty();
        registry.down.clear();
        registry.tags.put(OTHER, D3);
        loop.advance(Duration.ofMinutes(10));
        assertThat(cluster.patches).containsExactly(first);
        assertThat(acted(late)).isEmpty();
    }

    @Test
    void aMissingCredentialIsReported() {
        WorkloadId id = cluster.deployment("a", D1, APP);
        registry.closed = true;
        Engine engine = start();
        assertThat(decision(engine, id))
                .isInstanceOfSatisfying(
                        Decision.Deferred.class,
                        deferred -> assertThat(deferred.cause()).isEqualTo(Deferral.NO_CREDENTIAL));
    }
}
