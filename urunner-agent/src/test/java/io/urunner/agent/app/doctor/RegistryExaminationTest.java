package io.urunner.agent.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.RegistryProbe.Image;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.TestWorkloadStatus;
import io.urunner.agent.app.config.ConfigurationException;
import io.urunner.agent.app.config.Overrides;
import io.urunner.agent.app.config.PluginDirectory;
import io.urunner.agent.app.config.Settings;
import io.urunner.agent.app.config.SettingsLoader;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.TestVerdict;
import io.urunner.agent.plan.Verdict;
import io.urunner.kube.KubeAccess.Permission;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The doctor's questions to a registry, and what it concludes from the answers. */
class RegistryExaminationTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final RegistryPrefix REGISTRY = RegistryPrefix.parse("r.example");
    private static final RegistryPrefix TEAM = RegistryPrefix.parse("r.example/team");
    private static final FailedRequest REQUEST = FailedRequest.of("resolve", "r.example");

    private final List<WorkloadStatus> workloads = new ArrayList<>();
    private final List<HostStatus.Wait> waits = new ArrayList<>();
    private final List<WatchProblem> problems = new ArrayList<>();
    private boolean asked = true;
    private boolean healthy = true;
    private String route = "";
    private Optional<String> mirrorProblem = Optional.empty();

    private final Doctor.Credentials credentials = new Doctor.Credentials() {
        @Override
        public String describe(Image image) {
            return "pull secrets regcred in namespace " + image.namespace();
        }

        @Override
        public String route(Image image) {
            return route;
        }

        @Override
        public Optional<String> mirrorProblem(Image image) {
            return mirrorProblem;
        }

        @Override
        public List<String> problems(Image image) {
            return List.of("there is no secret regcred");
        }
    };

    private void uses(String namespace, String reference, boolean resolved) {
        Verdict.Kind kind = resolved ? Verdict.Kind.UP_TO_DATE : Verdict.Kind.UNRESOLVED;
        TestVerdict verdict = TestVerdict.of("app", kind, "").reference(reference);
        if (resolved) {
            verdict.digest("sha256:" + "1".repeat(64));
        }
        workloads.add(TestWorkloadStatus.of(WorkloadId.parse(namespace + "/Deployment/w" + workloads.size()))
                .containers(verdict)
                .build());
    }

    @TempDir
    private Path folder;

    private String credentialsInTheFile = "{}";
    private String type = "generic";
    private String pullSecrets = "true";

    private Settings settings() {
        try {
            Path file = Files.writeString(folder.resolve("urunner.yaml"), """
                    kubernetes: {pullSecrets: %s}
                    registries:
                      - {host: %s, type: %s, credentials: %s}
                      - {host: %s, type: generic}
                    """.formatted(
                            pullSecrets, REGISTRY, type, credentialsInTheFile, TEAM));
            return new SettingsLoader(Map.of(), new PluginDirectory())
                    .loadWithoutDefaultRegistry(new Overrides(Optional.of(file), Map.of()))
                    .settings();
        } catch (IOException | ConfigurationException e) {
            throw new AssertionError(e);
        }
    }

    private RegistryExamination examination(RegistryPrefix which) {
        Settings settings = settings();
        return new RegistryExamination(
                settings.registries().stream()
                        .filter(one -> one.host().equals(which))
                        .findFirst()
                        .orElseThrow(),
                settings,
                TestAgentStatus.at(NOW)
                        .namespaces("shop")
                        .lastPass(NOW)
                        .problems(problems)
                        .registries(new HostStatus(
                                which.toString(),
                                workloads.size(),
                                asked,
                                healthy,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                waits,
                                Optional.empty(),
                                1))
                        .workloads(workloads)
                        .build());
    }

    private List<String> findings(RegistryExamination one, List<Optional<RegistryException>> answers) {
        return one.findings(answers, credentials).stream()
                .map(finding -> finding.check() + " " + finding.result().words() + " " + finding.words() + " -> "
                        + finding.remedy())
                .toList();
    }

    @Test
    void everyImageWithoutADigestIsTriedUpToALimit() {
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
                .anyMatch(words -> words.startsWith("registry ok r.example: answers, but for 50 of 61 images"))
                .anyMatch(words -> words.startsWith("image WRONG r.example/x7:1 for namespace shop: ")
                        && words.contains("there is no secret regcred")
                        && words.contains("in use: pull secrets regcred in namespace shop"))
                .anyMatch(words -> words.contains("10 more images have no digest"));
    }

    @Test
    void theRouteAndAMirrorWithoutAnAnswerAreReported() {
        uses("shop", "r.example/x:1", true);
        route = "from the mirror https://m.example, through the proxy http://p.example:3128";
        assertThat(findings(examination(REGISTRY), List.of(Optional.empty())))
                .singleElement()
                .asString()
                .startsWith("registry ok r.example: answers for r.example/x:1")
                .contains(route);
        mirrorProblem = Optional.of("m.example cannot be reached");
        assertThat(findings(examination(REGISTRY), List.of(Optional.empty())))
                .hasSize(2)
                .last()
                .asString()
                .startsWith("registry note r.example: a mirror had no answer")
                .contains("m.example cannot be reached", "registries[].mirrors");
    }

    @Test
    void aMissingImageIsNotAProblemOfTheRegistry() {
        uses("shop", "r.example/x:1", false);
        assertThat(findings(
                        examination(REGISTRY), List.of(Optional.of(new NotFoundException(REQUEST, "no tag", null)))))
                .hasSize(2)
                .anyMatch(words -> words.startsWith("registry note r.example: answers, but for 0 of 1 images"))
                .anyMatch(words -> words.startsWith("image WRONG r.example/x:1 "));
    }

    @Test
    void aFailingHostIsTriedOnceAndTheNextAttemptIsReported() {
        healthy = false;
        waits.add(new HostStatus.Wait(
                Optional.empty(), Deferral.REGISTRY_UNREACHABLE, "refused", NOW, NOW.plusSeconds(60)));
        uses("shop", "r.example/x:1", false);
        uses("shop", "r.example/y:1", false);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).hasSize(1);
        assertThat(findings(one, List.of(Optional.of(new UnavailableException(REQUEST, "refused", null, null)))))
                .singleElement()
                .asString()
                .startsWith("registry WRONG r.example: ")
                .contains("refused; it is not asked until 2026-03-01T12:01:00Z, since 2026-03-01T12:00:00Z -> ");
    }

    @Test
    void aHostThatAskedForAPauseIsNotTriedAndIsNotOk() {
        waits.add(
                new HostStatus.Wait(Optional.empty(), Deferral.RATE_LIMITED, "used up", NOW, NOW.plusSeconds(21_600)));
        uses("shop", "r.example/x:1", false);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).isEmpty();
        assertThat(findings(one, List.of()))
                .singleElement()
                .asString()
                .startsWith("registry WRONG r.example: is not asked until 2026-03-01T18:00:00Z, since");
    }

    @Test
    void theWaitOfOneNamespaceIsReportedAndTheOthersAreTried() {
        waits.add(new HostStatus.Wait(
                Optional.of("evil"), Deferral.RATE_LIMITED, "used up", NOW, NOW.plusSeconds(21_600)));
        uses("shop", "r.example/x:1", true);
        RegistryExamination one = examination(REGISTRY);
        assertThat(one.probes()).hasSize(1);
        assertThat(findings(one, List.of(Optional.empty())))
                .hasSize(2)
                .anyMatch(words -> words.startsWith("registry ok r.example: answers for r.example/x:1"))
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
                .startsWith("registry note r.example: it answers, but no watched workload uses an image from it");
    }

    @Test
    void useOfARegistryIsUnknownBeforeTheClusterIsSeen() {
        asked = false;
        healthy = false;
        problems.add(new WatchProblem(
                "namespaces",
                Optional.empty(),
                Optional.of(new Permission("list", "", "namespaces", Optional.empty())),
                "not allowed to list namespaces"));
        assertThat(findings(examination(REGISTRY), List.of(Optional.empty())))
                .singleElement()
                .asString()
                .startsWith(
                        "registry note r.example: it answers; it is not known whether a workload uses an image from it: ")
                .doesNotContain("labelled");
    }

    @Test
    void theSettingsOfAMissingCredentialAreNamed() {
        uses("shop", "r.example/x:1", false);
        healthy = false;
        List<Optional<RegistryException>> refused =
                List.of(Optional.of(new UnauthorizedException(REQUEST, "no credential", null)));
        assertThat(findings(examination(REGISTRY), refused))
                .singleElement()
                .asString()
                .contains("registries[].credentials.user/pass", "URUNNER_SECR_REGISTRY_USER/URUNNER_SECR_REGISTRY_PASS")
                .contains("rbac.pullSecrets", "URUNNER_CONF_PULL_SECRETS is true");
        pullSecrets = "false";
        assertThat(findings(examination(REGISTRY), refused))
                .singleElement()
                .asString()
                .contains("rbac.readAllSecrets=true", "URUNNER_CONF_PULL_SECRETS=true");
        type = "gitlab";
        credentialsInTheFile = "{token: t0ken-of-a-test}";
        assertThat(findings(examination(REGISTRY), refused))
                .singleElement()
                .asString()
                .contains("registries[].credentials.user/token", "URUNNER_SECR_GITLAB_TOKEN")
                .doesNotContain("PULL_SECRETS", "AUTH_URL");
    }

    @Test
    void anImageBelongsToTheLongestPrefix() {
        uses("shop", "r.example/team/x:1", false);
        assertThat(examination(TEAM).probes()).allMatch(probe -> probe.image().isPresent());
        assertThat(examination(REGISTRY).probes())
                .allMatch(probe -> probe.image().isEmpty());
    }
}
