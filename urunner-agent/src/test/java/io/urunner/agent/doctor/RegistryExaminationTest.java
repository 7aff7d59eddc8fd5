package io.urunner.agent.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.State;
import io.urunner.agent.plan.Verdict;
import io.urunner.agent.run.AgentStatus;
import io.urunner.agent.run.AgentStatus.WorkloadStatus;
import io.urunner.agent.run.HostStatus;
import io.urunner.agent.run.RegistryProbe.Image;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.UnavailableException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is asked of a registry for the doctor, and what is made of the answers. */
class RegistryExaminationTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final RegistryPrefix REGISTRY = RegistryPrefix.parse("r.example");
    private static final RegistryPrefix TEAM = RegistryPrefix.parse("r.example/team");
    private static final FailedRequest REQUEST = FailedRequest.of("resolve", "r.example");

    private final List<WorkloadStatus> workloads = new ArrayList<>();
    private final List<HostStatus.Wait> waits = new ArrayList<>();
    private boolean asked = true;
    private boolean healthy = true;

    private final Doctor.Credentials credentials = new Doctor.Credentials() {
        @Override
        public String describe(Image image) {
            return "pull secrets regcred in namespace " + image.namespace();
        }

        @Override
        public List<String> problems(Image image) {
            return List.of("there is no secret regcred");
        }
    };

    private void uses(String namespace, String reference, boolean resolved) {
        workloads.add(new WorkloadStatus(
                WorkloadId.parse(namespace + "/Deployment/w" + workloads.size()),
                State.NOT_PLANNED,
                Optional.empty(),
                List.of(new Verdict(
                        "app",
                        Optional.of(reference),
                        resolved ? Optional.of("sha256:" + "1".repeat(64)) : Optional.empty(),
                        Set.of(),
                        Set.of(),
                        resolved ? Verdict.Kind.UP_TO_DATE : Verdict.Kind.UNRESOLVED,
                        Optional.empty(),
                        "")),
                Map.of(),
                Optional.empty(),
                false,
                Optional.empty()));
    }

    private RegistryExamination examination(RegistryPrefix which) {
        return new RegistryExamination(
                which,
                List.of(REGISTRY, TEAM),
                new AgentStatus(
                        NOW,
                        true,
                        Optional.empty(),
                        true,
                        Set.of("shop"),
                        Map.of(),
                        true,
                        Optional.of(NOW),
                        List.of(),
                        List.of(new HostStatus(
                                which.toString(),
                                workloads.size(),
                                asked,
                                healthy,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                waits,
                                Optional.empty(),
                                1)),
                        workloads));
    }

    private List<String> findings(RegistryExamination one, List<Optional<RegistryException>> answers) {
        return one.findings(answers, credentials).stream()
                .map(finding -> finding.check() + " " + finding.result().words() + " " + finding.words() + " -> "
                        + finding.remedy())
                .toList();
    }

    @Test
    void everyImageWithoutADigestIsTriedUpToAMost() {
        uses("shop", "r.example/good:1", true);
        for (int i = 0; i < 60; i++) {
            uses("shop", "r.example/x" + i + ":1", false);
        }
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).hasSize(50).doesNotHaveDuplicates();
        List<Optional<RegistryException>> answers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            answers.add(i == 7 ? Optional.of(new UnauthorizedException(REQUEST, "401", null)) : Optional.empty());
        }
        assertThat(findings(one, answers))
                .hasSize(3)
                .anyMatch(words -> words.startsWith("registry r.example ok "))
                .anyMatch(words -> words.startsWith("image r.example/x7:1 WRONG for namespace shop: ")
                        && words.contains("there is no secret regcred")
                        && words.contains("in use: pull secrets regcred in namespace shop"))
                .anyMatch(words -> words.contains("10 more images have no digest"));
    }

    @Test
    void oneThatIsMissingIsNoTroubleOfTheRegistry() {
        uses("shop", "r.example/x:1", false);
        assertThat(findings(
                        examination(REGISTRY), List.of(Optional.of(new NotFoundException(REQUEST, "no tag", null)))))
                .hasSize(2)
                .anyMatch(words -> words.startsWith("registry r.example ok "))
                .anyMatch(words -> words.startsWith("image r.example/x:1 WRONG "));
    }

    @Test
    void aHostThatFailsIsTriedOnceAndSaysWhenItIsAskedAgain() {
        healthy = false;
        waits.add(new HostStatus.Wait(
                Optional.empty(), Deferral.REGISTRY_UNREACHABLE, "refused", NOW, NOW.plusSeconds(60)));
        uses("shop", "r.example/x:1", false);
        uses("shop", "r.example/y:1", false);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).hasSize(1);
        assertThat(findings(one, List.of(Optional.of(new UnavailableException(REQUEST, "refused", null, null)))))
                .allMatch(words -> words.startsWith("registry r.example WRONG "))
                .anyMatch(words ->
                        words.contains("is not asked until 2026-03-01T12:01:00Z, since 2026-03-01T12:00:00Z: refused"));
    }

    @Test
    void aHostThatWantsToBeLeftAloneIsNotTriedAndIsNotOk() {
        waits.add(
                new HostStatus.Wait(Optional.empty(), Deferral.RATE_LIMITED, "used up", NOW, NOW.plusSeconds(21_600)));
        uses("shop", "r.example/x:1", false);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).isEmpty();
        assertThat(findings(one, List.of()))
                .singleElement()
                .asString()
                .startsWith("registry r.example WRONG is not asked until 2026-03-01T18:00:00Z, since");
    }

    @Test
    void whatOneNamespaceWaitsForIsSaidAndTheOthersAreTried() {
        waits.add(new HostStatus.Wait(
                Optional.of("evil"), Deferral.RATE_LIMITED, "used up", NOW, NOW.plusSeconds(21_600)));
        uses("shop", "r.example/x:1", true);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).hasSize(1);
        assertThat(findings(one, List.of(Optional.empty())))
                .hasSize(2)
                .anyMatch(words -> words.startsWith("registry r.example ok answers for r.example/x:1"))
                .anyMatch(words -> words.contains("with the pull secrets of namespace evil"));
    }

    @Test
    void aRegistryThatNothingUsesIsNotOk() {
        asked = false;
        healthy = false;
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).singleElement().matches(probe -> probe.image().isEmpty());
        assertThat(findings(one, List.of(Optional.empty())))
                .singleElement()
                .asString()
                .startsWith("registry r.example note it answers, but no watched workload has an image of it");
    }

    @Test
    void anImageBelongsToTheLongestPrefix() {
        uses("shop", "r.example/team/x:1", false);
        assertThat(examination(TEAM).probes()).allMatch(probe -> probe.image().isPresent());
        assertThat(examination(REGISTRY).probes())
                .allMatch(probe -> probe.image().isEmpty());
    }
}
