package io.urunner.agent.plan;

import static io.urunner.agent.plan.Given.CHILD2;
import static io.urunner.agent.plan.Given.CONFIG2;
import static io.urunner.agent.plan.Given.D0;
import static io.urunner.agent.plan.Given.D1;
import static io.urunner.agent.plan.Given.D2;
import static io.urunner.agent.plan.Given.D3;
import static io.urunner.agent.plan.Given.NOW;
import static io.urunner.agent.plan.Given.REF;
import static io.urunner.agent.plan.Given.cameBack;
import static io.urunner.agent.plan.Given.first;
import static io.urunner.agent.plan.Given.once;
import static io.urunner.agent.plan.Given.rollout;
import static io.urunner.agent.plan.Given.workload;
import static io.urunner.kube.testing.TestRolloutStatus.wanted;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.urunner.kube.RolloutStatus;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.kube.testing.TestContainerState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules of staleness, one line per case: what is given, what is decided, what is remembered. */
class PlannerRulesTest {
    private static final RolloutStatus NOT_OBSERVED = wanted(0).observed(false).build();

    static Stream<Arguments> cases() {
        return Stream.of(
                // before any rule: the registry's answer
                on("the registry has not been asked yet", workload().runs(D1), "deferred: not asked yet"),
                on("the registry is away", workload().runs(D1).answer("app", away()), "deferred: registry unreachable"),
                on(
                        "a digest that was there before, seen once",
                        workload().runs(D1).answer("app", once(D2)),
                        "deferred: digest not confirmed yet"),
                on(
                        "a digest that this workload replaced, seen once after all was lost",
                        workload().runs(D2).stateActed(D2, D1).actedOn(D2).answer("app", first(D1)),
                        "deferred: digest not confirmed yet"),
                on(
                        "the digest that we acted on, seen first after all was lost",
                        workload().runs(D2).stateActed(D2, D1).actedOn(D2).answer("app", first(D2)),
                        "up to date",
                        D2),
                on(
                        "another agent acted on another digest after the registry was asked",
                        workload()
                                .runs(id(D1))
                                .actedOn(D1)
                                .state("app", actedAt(NOW))
                                .tagIs(D2)
                                .content(D2),
                        "deferred: answer older than the pods"),

                // rule 1
                on(
                        "1: no replicas are wanted",
                        workload().rollout(rollout(0)).actedOn(D1).tagIs(D2),
                        "up to date"),
                on(
                        "1: no replicas are wanted, and the registry is away",
                        workload().rollout(rollout(0)).answer("app", away()),
                        "up to date"),
                on(
                        "1: a DaemonSet that fits no node",
                        workload()
                                .kind(WorkloadKind.DAEMON_SET)
                                .rollout(rollout(0))
                                .tagIs(D2),
                        "up to date"),
                on(
                        "1: a DaemonSet that nobody has counted yet",
                        workload()
                                .kind(WorkloadKind.DAEMON_SET)
                                .rollout(NOT_OBSERVED)
                                .tagIs(D2),
                        "in progress"),

                // rule 2
                on("2: runs the tag's digest", workload().runs(id(D2)).tagIs(D2), "up to date", D2),
                on(
                        "2: runs it, whatever A and P say",
                        workload().runs(id(D2)).actedOn(D1).remembered(D1).tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "2: runs a child of the index",
                        workload().runs(id(CHILD2)).tagIs(D2).content(D2, CHILD2),
                        "up to date",
                        D2),
                on(
                        "2: runs the index's configuration, bare",
                        workload().runs(CONFIG2.substring(7)).tagIs(D2).content(D2, CHILD2, CONFIG2),
                        "up to date",
                        D2),
                on(
                        "2: runs it, as reported by cri-dockerd",
                        workload()
                                .runs("docker-pullable://other.example/x@" + D2)
                                .tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "2: nothing new to remember",
                        workload().runs(id(D2)).remembered(D2).tagIs(D2),
                        "up to date"),
                on(
                        "2: all pods count, not only the first",
                        workload().runs(id(D2), id(D1)).tagIs(D2).content(D2),
                        "restart",
                        D2),
                on(
                        "2: all pods count, though the first runs a child of the index",
                        workload().runs(id(CHILD2), id(D1)).tagIs(D2).content(D2, CHILD2),
                        "restart",
                        D2),
                on("2: the content is needed", workload().runs(id(D1)).tagIs(D2), "deferred: content not read yet"),
                on(
                        "2: the content cannot be fetched",
                        workload().runs(id(D1)).tagIs(D2).content("app", noContent()),
                        "deferred: content unknown"),
                on(
                        "2: ... but what runs is what is remembered",
                        workload().runs(id(D1)).remembered(D1).tagIs(D2).content("app", noContent()),
                        "restart",
                        D2),
                on(
                        "2: ... or what we acted on",
                        workload().runs(id(D1)).actedOn(D1).tagIs(D2).content("app", noContent()),
                        "restart",
                        D2),
                on(
                        "2: ... or what we replaced",
                        workload()
                                .runs(id(D0))
                                .actedOn(D1)
                                .stateActed(D1, D0)
                                .tagIs(D2)
                                .content("app", noContent()),
                        "restart",
                        D2),
                on(
                        "2: ... or we have already acted for the digest",
                        workload().runs(id(D1)).actedOn(D2).tagIs(D2).content("app", noContent()),
                        "up to date",
                        D2),
                on(
                        "2: a terminating pod does not count",
                        workload()
                                .runs(id(D2))
                                .pod(true, true, "Running", Map.of("app", id(D1)), Optional.empty())
                                .tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "2: an older revision's pod does not count",
                        workload().runs(id(D2)).oldPod(id(D1)).tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "2: an evicted pod does not count",
                        workload()
                                .runs(id(D2))
                                .pod(true, false, "Failed", Map.of("app", id(D1)), Optional.empty())
                                .tagIs(D2),
                        "up to date",
                        D2),

                // rule 3
                on(
                        "3: we acted, there is no pod yet",
                        workload().notComplete().actedOn(D2).stateActed(D2, D1).tagIs(D2),
                        "in progress"),
                on(
                        "3: we acted, the pods run what was replaced, the rollout is not over",
                        workload()
                                .runs(id(D1))
                                .notComplete()
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "in progress"),
                on(
                        "3: the rollout is over and the pods run what was replaced",
                        workload()
                                .runs(id(D1))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "still the old image"),
                on(
                        "3: a third digest under pull policy Always",
                        workload()
                                .runs(id(D3))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "restart",
                        D2),
                on(
                        "3: a third digest under another pull policy",
                        workload()
                                .container("app", REF, "IfNotPresent")
                                .runs(id(D3))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "still the old image"),
                on(
                        "3: a third digest that came after the registry was asked",
                        workload()
                                .runs(id(D3))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2)
                                .podsSeenAfterTheAnswer(),
                        "deferred: answer older than the pods"),
                on(
                        "3: what was replaced, after the tag left and came back",
                        workload()
                                .runs(id(D1))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .answer("app", cameBack(D2))
                                .content(D2),
                        "restart",
                        D2),
                on(
                        "3: the runtime's report cannot be read",
                        workload()
                                .runs("docker://unreadable")
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "3: the pin that the policy wants fixes it",
                        workload()
                                .container("app", REF, "IfNotPresent")
                                .annotation("if-not-always", "pin")
                                .runs(id(D1))
                                .actedOn(D2)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "restart",
                        D2),

                // rule 4
                on(
                        "4: an undo brought back a template that says nothing",
                        workload().runs(id(D1)).stateActed(D2, D1).tagIs(D2).content(D2),
                        "blocked: rejected by a revert"),
                on(
                        "4: an undo brought back the previous template",
                        workload()
                                .runs(id(D1))
                                .actedOn(D1)
                                .stateActed(D2, D1)
                                .tagIs(D2)
                                .content(D2),
                        "blocked: rejected by a revert"),
                on(
                        "4: an undo whose pods do not exist yet",
                        workload().notComplete().stateActed(D2, D1).tagIs(D2),
                        "blocked: rejected by a revert"),
                on(
                        "4: an undo whose pods pulled the tag again",
                        workload().runs(id(D2)).stateActed(D2, D1).tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "4: the tag moved on after the undo",
                        workload()
                                .runs(id(D1))
                                .actedOn(D1)
                                .stateActed(D2, D1)
                                .tagIs(D3)
                                .content(D3),
                        "restart",
                        D3),
                on(
                        "4: the tag left and came back after the act",
                        workload()
                                .runs(id(D1))
                                .stateActed(D2, D1)
                                .answer("app", cameBack(D2))
                                .content(D2),
                        "restart",
                        D2),
                on(
                        "4: for another reference it is not an undo",
                        workload()
                                .runs(id(D1))
                                .state("app", Given.state("registry.example/team/app:dev"))
                                .tagIs(D2)
                                .content(D2),
                        "restart",
                        D2),

                // rule 5
                on(
                        "5: the tag moved",
                        workload().runs(id(D1)).actedOn(D1).tagIs(D2).content(D2),
                        "restart",
                        D2),
                on(
                        "5: the tag moved in the middle of a rollout",
                        workload().notComplete().actedOn(D1).stateActed(D1, D0).tagIs(D2),
                        "restart",
                        D2),
                on(
                        "5: the tag moved while its pods cannot be pulled",
                        workload()
                                .notComplete()
                                .pod(true, false, "Pending", Map.of("app", ""), Optional.of("ImagePullBackOff"))
                                .actedOn(D1)
                                .tagIs(D2),
                        "restart",
                        D2),
                on(
                        "5: not moved while a change hides what runs",
                        workload()
                                .actedOn(D1)
                                .rollout(wanted(1).observed(false))
                                .tagIs(D2),
                        "in progress"),
                on(
                        "5: what was written for another reference does not count",
                        workload()
                                .notComplete()
                                .actedOn("app", "registry.example/team/app:dev", D1)
                                .tagIs(D2),
                        "in progress"),

                // rule 6
                on(
                        "6: the controller has not seen the template",
                        workload()
                                .runs(id(D1))
                                .rollout(wanted(1).observed(false))
                                .tagIs(D2)
                                .content(D2),
                        "in progress"),
                on(
                        "6: a pod has no image yet",
                        workload()
                                .runs(id(D1))
                                .pod(true, false, "Pending", Map.of(), Optional.empty())
                                .tagIs(D2)
                                .content(D2),
                        "in progress"),
                on("6: there is no pod yet", workload().rollout(rollout(1)).tagIs(D2), "in progress"),
                on("6: the only pod fits no node", workload().unschedulablePod().tagIs(D2), "in progress"),
                on(
                        "6: a pod that fits no node does not hide that the others are old",
                        workload().runs(id(D1)).unschedulablePod().tagIs(D2).content(D2),
                        "restart",
                        D2),

                // rule 7
                on("7: old at first sight", workload().runs(id(D1)).tagIs(D2).content(D2), "restart", D2),
                on(
                        "7: old at first sight, though remembered",
                        workload().runs(id(D1)).remembered(D2).tagIs(D2).content(D2),
                        "restart"),
                on(
                        "7: the pods came after the registry was asked",
                        workload().runs(id(D1)).tagIs(D2).content(D2).podsSeenAfterTheAnswer(),
                        "deferred: answer older than the pods"),
                on(
                        "7: adopted at first sight",
                        workload()
                                .annotation("first-sight", "adopt")
                                .runs(id(D1))
                                .tagIs(D2)
                                .content(D2),
                        "up to date",
                        D2),
                on(
                        "7: adopted before, the tag stays",
                        workload()
                                .annotation("first-sight", "adopt")
                                .runs(id(D1))
                                .remembered(D2)
                                .tagIs(D2)
                                .content(D2),
                        "up to date"),
                on(
                        "7: adopted before, the tag moved",
                        workload()
                                .annotation("first-sight", "adopt")
                                .runs(id(D1))
                                .remembered(D1)
                                .tagIs(D2)
                                .content(D2),
                        "restart",
                        D2),

                // rule 8
                on(
                        "8: nothing readable, nothing remembered",
                        workload().runs("docker://unreadable").tagIs(D2),
                        "up to date",
                        D2),
                on(
                        "8: nothing readable, the tag stays",
                        workload().runs("docker://unreadable").remembered(D2).tagIs(D2),
                        "up to date"),
                on(
                        "8: nothing readable, the tag moved",
                        workload().runs("docker://unreadable").remembered(D1).tagIs(D2),
                        "restart",
                        D2),
                on(
                        "8: nothing readable, the store was lost, the workload remembers",
                        workload()
                                .runs("docker://unreadable")
                                .stateActed(D1, D0)
                                .tagIs(D2),
                        "restart",
                        D2));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void theFirstRuleThatAppliesDecides(String name, Given given, String decision, Optional<String> remembered) {
        Plan plan = given.plan();

        assertThat(plan.decision().words()).as(plan.decision().reason()).isEqualTo(decision);
        assertThat(plan.remember())
                .isEqualTo(remembered
                        .map(digest ->
                                Map.of("app", new Plan.Remembered(ImageReference.parse(REF), Digest.parse(digest))))
                        .orElse(Map.of()));
        assertThat(plan.decision().reason()).isNotBlank();
    }

    @Test
    void aRejectionIsWrittenOnceWithTheManagerThatRevertedTheChange() {
        Given given =
                workload().runs(id(D1)).stateActed(D2, D1).tagIs(D2).content(D2).changedBy("urunner", "helm");

        Plan plan = given.plan();

        assertThat(plan.decision().reason()).contains("reverted by helm").contains(REF);
        assertThat(plan.state()).get().satisfies(state -> {
            assertThat(state.containers().get("app").rejected()).contains(D2);
            assertThat(state.containers().get("app").rejectedBy()).contains("helm");
        });
        Plan next = given.state("app", plan.state().orElseThrow().containers().get("app"))
                .changedBy("kubectl-edit")
                .plan();
        assertThat(next.state()).isEmpty();
        assertThat(next.decision().reason()).contains("reverted by helm");
    }

    @Test
    void theDiagnosisNamesCauseAndRemedy() {
        Plan plan = workload()
                .container("app", REF, "IfNotPresent")
                .runs(id(D1))
                .actedOn(D2)
                .stateActed(D2, D1)
                .tagIs(D2)
                .content(D2)
                .plan();

        assertThat(plan.decision())
                .isInstanceOfSatisfying(
                        Decision.UpToDate.class,
                        decision -> assertThat(decision.diagnosis())
                                .get()
                                .asString()
                                .contains("imagePullPolicy is IfNotPresent")
                                .contains("urunner.io/if-not-always: pin"));
    }

    private static Arguments on(String name, Given given, String decision) {
        return arguments(name, given, decision, Optional.empty());
    }

    private static Arguments on(String name, Given given, String decision, String remembered) {
        return arguments(name, given, decision, Optional.of(remembered));
    }

    private static String id(String digest) {
        return "registry.example/team/app@" + digest;
    }

    private static ContainerState actedAt(Instant time) {
        return TestContainerState.of(REF).acted(D1).at(time).build();
    }

    private static Answer away() {
        return new Answer.Failed(Deferral.REGISTRY_UNREACHABLE, "registry.example does not answer", NOW);
    }

    private static Content noContent() {
        return new Content.Unavailable("registry.example answers 500");
    }
}
