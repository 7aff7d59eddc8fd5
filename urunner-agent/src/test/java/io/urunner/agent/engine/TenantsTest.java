package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.HostStatus;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Deferral;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.ProtocolViolationException;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Questions for one namespace hold up no other, and the answers for one are not revealed to another. */
class TenantsTest extends EngineScene {
    private static final String EVIL = "aaa-evil";
    private static final ImageReference IMAGE = ImageReference.parse(APP);
    private static final Duration SOON = INTERVAL.plusSeconds(5);

    private static RegistryException answer(int status) {
        FailedRequest request = FailedRequest.of("resolve", "r.example").answered(status, List.of());
        return status < 500 && status != 408
                ? new ProtocolViolationException(request, "status " + status, null)
                : new UnavailableException(request, "status " + status, null, null);
    }

    private static RegistryException limited(Instant until) {
        return new RateLimitedException(FailedRequest.of("resolve", "r.example"), "429", until, true, null);
    }

    /** A namespace with many references, and ours with one. */
    private WorkloadId neighbours(int references) {
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        cluster.deploymentIn(EVIL, "web", D1, many(references));
        return mine;
    }

    private static String[] many(int references) {
        return IntStream.range(0, references)
                .mapToObj(i -> "r.example/x" + i + ":latest")
                .toArray(String[]::new);
    }

    private void assertPushArrives(WorkloadId mine, String digest) {
        registry.tags.put(APP, digest);
        loop.advance(SOON);
        assertThat(acted(mine)).contains(digest);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 405, 408, 418, 451})
    void referencesThatTheRegistryRefusesHoldUpNobody(int status) {
        for (String image : many(300)) {
            registry.failing.put(image, answer(status));
        }
        WorkloadId mine = neighbours(300);
        Engine engine = start();
        loop.advance(Duration.ofMinutes(5));
        assertPushArrives(mine, D2);
        assertThat(used(engine)).allMatch(HostStatus::healthy);
    }

    @Test
    void brokenRepositoriesDoNotMeanABrokenHost() {
        for (String image : many(300)) {
            registry.failing.put(image, answer(500));
        }
        WorkloadId mine = neighbours(300);
        Engine engine = start();
        for (int minute = 0; minute < 10; minute++) {
            loop.advance(Duration.ofMinutes(1));
            assertThat(used(engine)).allMatch(HostStatus::healthy);
        }
        assertPushArrives(mine, D2);
    }

    @Test
    void newBrokenRepositoriesDoNotMeanABrokenHostHoweverOftenTheyAppear() {
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Engine engine = start();
        for (int second = 0; second < 240; second++) {
            String broken = "r.example/y" + second + ":latest";
            registry.failing.put(broken, answer(500));
            cluster.deploymentIn(EVIL, "web" + second, D1, broken);
            loop.advance(Duration.ofSeconds(1));
            assertThat(used(engine)).allMatch(HostStatus::healthy);
            if (second % 30 == 0) {
                String pushed = digest(second / 30 + 2);
                assertPushArrives(mine, pushed);
                cluster.runs(mine, pushed);
            }
        }
    }

    /** They alternate between answering and not answering: a host that is down looks the same. */
    @Test
    void flappingRepositoriesOfSeveralNamespacesDoNotMeanABrokenHost() {
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        for (int i = 0; i < 5; i++) {
            cluster.deploymentIn(EVIL + i, "web", D1, "r.example/x" + i + ":latest");
        }
        start();
        for (int round = 1; round < 9; round++) {
            boolean broken = round % 2 == 0;
            for (String image : many(5)) {
                if (broken) {
                    registry.failing.put(image, answer(503));
                } else {
                    registry.failing.remove(image);
                }
            }
            assertPushArrives(mine, digest(round + 1));
            cluster.runs(mine, digest(round + 1));
            loop.advance(INTERVAL);
        }
    }

    @Test
    void aHostThatIsDownIsAskedRarelyHoweverManyNamespacesAskIt() {
        for (int i = 0; i < 50; i++) {
            cluster.deploymentIn("team" + i, "web", D1, "r.example/x" + i + ":latest");
        }
        Engine engine = start();
        registry.down.add("r.example");
        registry.asked.clear();
        loop.advance(INTERVAL);
        assertThat(registry.asked).as("for eight namespaces, and the steadiest").hasSizeBetween(8, 9);
        assertThat(used(engine)).anyMatch(host -> !host.healthy());
        loop.advance(Duration.ofMinutes(30));
        assertThat(registry.asked)
                .as("one or two at a time, 20 s to 10 min apart")
                .hasSizeBetween(12, 30);
        registry.down.clear();
        loop.advance(Duration.ofMinutes(10));
        assertThat(new HashSet<>(registry.asked)).as("all again").hasSize(50);
    }

    @Test
    void aBudgetIsSharedByNamespaceAndNotByReference() {
        registry.budget = OptionalInt.of(60);
        WorkloadId mine = neighbours(300);
        start();
        for (int push = 0; push < 7; push++) {
            String digest = digest(push + 2);
            registry.tags.put(APP, digest);
            loop.advance(SOON);
            assertThat(acted(mine)).as("push " + push).contains(digest);
            cluster.runs(mine, digest);
        }
    }

    @Test
    void newReferencesEverySecondTakeNobodysShareOfABudget() {
        registry.budget = OptionalInt.of(60);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        loop.advance(Duration.ofMinutes(1));
        registry.tags.put(APP, D2);
        boolean seen = false;
        for (int second = 0; second < 15 && !seen; second++) {
            for (int i = 0; i < 20; i++) {
                cluster.deploymentIn(EVIL, "web" + i, D1, "r.example/y" + second + "-" + i + ":latest");
            }
            loop.advance(Duration.ofSeconds(1));
            seen = acted(mine).contains(D2);
        }
        assertThat(acted(mine)).contains(D2);
    }

    @Test
    void aPrivateImageIsRevealedOnlyToNamespacesWhoseSecretsGiveAccess() {
        registry.readers.put(APP, Set.of("shop"));
        registry.secrets.put("shop", Set.of(APP));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        WorkloadId theirs = cluster.deploymentIn(EVIL, "web", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertPushArrives(mine, D2);
        assertThat(cluster.patches).doesNotContain(theirs);
        assertThat(engine.registries().answer(IMAGE, EVIL))
                .isInstanceOfSatisfying(
                        Answer.Failed.class,
                        failed -> assertThat(failed.reason()).isEqualTo(Deferral.NO_CREDENTIAL));
        assertThat(decision(engine, theirs).toString()).doesNotContain(D2).doesNotContain("shop");
        assertThat(registry.shown).allMatch(shown -> shown.startsWith("shop "));
    }

    private static List<HostStatus> used(Engine engine) {
        return engine.registries().status().stream().filter(HostStatus::asked).toList();
    }

    @Test
    void problemsOfAPullSecretAreReportedToItsOwnNamespaceAndToNoOther() {
        registry.readers.put(APP, Set.of());
        registry.broken.put(EVIL, List.of("the secret regcred is not a pull secret"));
        WorkloadId theirs = cluster.deploymentIn(EVIL, "web", D1, APP);
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertThat(decision(engine, theirs).reason()).contains("401", "the secret regcred is not a pull secret");
        assertThat(state(engine, theirs).cause()).isEqualTo(Deferral.NO_CREDENTIAL.words());
        assertThat(decision(engine, mine).reason())
                .contains("401", "there is no pull secret")
                .doesNotContain("regcred");
    }

    @Test
    void aPublicImageCostsOneQuestionAndNobodysPassword() {
        for (int i = 0; i < 50; i++) {
            cluster.deploymentIn("team" + i, "web", D1, APP);
            registry.secrets.put("team" + i, Set.of(APP));
        }
        start();
        registry.asked.clear();
        loop.advance(INTERVAL.multipliedBy(10));
        assertThat(registry.asked).hasSize(10);
        assertThat(registry.shown).isEmpty();
    }

    @Test
    void aPrivateImageCostsOneQuestionPerNamespace() {
        Set<String> teams = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            cluster.deploymentIn("team" + i, "web", D1, APP);
            registry.secrets.put("team" + i, Set.of(APP));
            teams.add("team" + i);
        }
        registry.readers.put(APP, teams);
        start();
        loop.advance(INTERVAL.multipliedBy(2));
        registry.asked.clear();
        registry.shown.clear();
        loop.advance(INTERVAL.multipliedBy(10));
        assertThat(registry.shown).as("each namespace once per pass").hasSize(500);
        assertThat(registry.asked).as("and at most once without a secret").hasSizeBetween(500, 501);
    }

    @Test
    void aLimitOrBanAffectsOnlyItsOwnAccount() {
        registry.readers.put(APP, Set.of("shop"));
        registry.secrets.put("shop", Set.of(APP));
        registry.secrets.put(EVIL, Set.of(APP, "r.example/x0:latest"));
        registry.readers.put("r.example/x0:latest", Set.of(EVIL));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        cluster.deploymentIn(EVIL, "web", D1, APP, "r.example/x0:latest");
        registry.accounts.put(EVIL, limited(loop.instant().plus(Duration.ofDays(1))));
        Engine engine = start();
        loop.advance(INTERVAL);
        registry.shown.clear();
        loop.advance(Duration.ofMinutes(10));
        assertThat(registry.shown).as("left alone for a day").noneMatch(shown -> shown.startsWith(EVIL));
        assertPushArrives(mine, D2);
        assertThat(used(engine)).allMatch(HostStatus::healthy);
    }

    @Test
    void aNamespaceAsksWithItsSecretWhileAnonymousRequestsAreLimited() {
        registry.secrets.put("shop", Set.of(APP));
        registry.readers.put(APP, Set.of("shop"));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        registry.failing.put("r.example/x0:latest", limited(loop.instant().plus(Duration.ofDays(1))));
        cluster.deploymentIn(EVIL, "web", D1, "r.example/x0:latest");
        loop.advance(INTERVAL);
        assertPushArrives(mine, D2);
    }

    @Test
    void aSecretCreatedLaterGivesAccessToTheImage() {
        registry.readers.put(APP, Set.of("shop"));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertThat(engine.registries().answer(IMAGE, "shop")).isInstanceOf(Answer.Failed.class);
        registry.secrets.put("shop", Set.of(APP));
        assertPushArrives(mine, D2);
        registry.secrets.clear();
        registry.readers.remove(APP);
        loop.advance(Duration.ofMinutes(10));
        registry.shown.clear();
        assertPushArrives(mine, D3);
        assertThat(registry.shown).as("it is public now").isEmpty();
    }

    @Test
    void aResetInTheYear33658IsNotAwaited() {
        registry.failing.put(APP, limited(Instant.parse("+33658-09-27T01:46:40Z")));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        registry.failing.clear();
        loop.advance(Duration.ofDays(7).plusHours(1));
        assertPushArrives(mine, D2);
    }

    @Test
    void namespacesWithASecretContinueWhileThoseWithoutArePaused() {
        registry.secrets.put("shop", Set.of(APP));
        registry.readers.put(APP, Set.of("shop"));
        registry.failing.put("r.example/x0:latest", limited(loop.instant().plus(Duration.ofDays(1))));
        registry.limitsEverybody = limited(loop.instant().plus(Duration.ofDays(1)));
        cluster.deploymentIn(EVIL, "web", D1, "r.example/x0:latest");
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        loop.advance(INTERVAL);
        assertPushArrives(mine, D2);
        // A third one comes later, while everybody else is paused.
        registry.secrets.put("pay", Set.of(APP));
        registry.readers.put(APP, Set.of("shop", "pay"));
        WorkloadId later = cluster.deploymentIn("pay", "late", D2, APP);
        loop.advance(INTERVAL);
        registry.tags.put(APP, D3);
        loop.advance(SOON);
        assertThat(acted(later)).contains(D3);
    }

    @Test
    void aRepositoryThatIsAwayForADayDoesNotMeanABrokenHost() {
        registry.failing.put(
                "r.example/x0:latest",
                new UnavailableException(
                        FailedRequest.of("resolve", "r.example").answered(503, List.of()),
                        "503",
                        loop.instant().plus(Duration.ofDays(1)),
                        null));
        WorkloadId mine = neighbours(1);
        start();
        loop.advance(INTERVAL);
        assertPushArrives(mine, D2);
    }

    @Test
    void anImageThatBecomesPublicIsSeenAtOnceByANamespaceThatLosesItsSecret() {
        registry.readers.put(APP, Set.of("shop"));
        registry.secrets.put("shop", Set.of(APP));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        loop.advance(INTERVAL.multipliedBy(3));
        registry.secrets.clear();
        registry.readers.remove(APP);
        loop.advance(INTERVAL.multipliedBy(2));
        assertPushArrives(mine, D2);
    }

    @Test
    void aWorkerThatCannotStartLeavesNothingUnderWay() {
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        start();
        registry.noThreads = true;
        loop.advance(INTERVAL);
        registry.noThreads = false;
        loop.advance(Duration.ofMinutes(1));
        assertPushArrives(mine, D2);
    }

    @Test
    void aHostThatAnswersIsNotReportedDownDuringAPass() {
        for (String image : many(300)) {
            registry.failing.put(image, answer(503));
        }
        neighbours(300);
        registry.slow = Duration.ofMillis(700);
        Engine engine = start();
        for (int i = 0; i < 300; i++) {
            loop.advance(Duration.ofMillis(250));
            assertThat(used(engine)).allMatch(HostStatus::healthy);
        }
    }

    /** Redirects that lead nowhere, an invalid digest, a defect of ours: not even within one namespace. */
    @Test
    void referencesWithUselessAnswersDoNotStarveNewOnes() {
        for (String image : many(300)) {
            registry.failing.put(
                    image, new ProtocolViolationException(FailedRequest.of("resolve", "r.example"), "redirects", null));
        }
        cluster.deployment("aaa", D1, many(300));
        WorkloadId mine = cluster.deployment("mine", D1, APP);
        Engine engine = start();
        loop.advance(INTERVAL);
        assertPushArrives(mine, D2);
        assertThat(used(engine)).allMatch(HostStatus::healthy);
    }

    @Test
    void aHostWithOnlyUselessAnswersIsNotHealthy() {
        cluster.deployment("mine", D1, APP);
        registry.failing.put(
                APP, new ProtocolViolationException(FailedRequest.of("resolve", "r.example"), "no JSON", null));
        Engine engine = start();
        assertThat(used(engine)).anyMatch(host -> !host.healthy());
        registry.failing.clear();
        loop.advance(Duration.ofMinutes(1));
        assertThat(used(engine)).allMatch(HostStatus::healthy);
    }

    @Test
    void longAnsweredReferencesThatBreakTogetherHoldUpNobody() {
        WorkloadId mine = neighbours(300);
        registry.slow = Duration.ofMillis(700);
        start();
        loop.advance(Duration.ofMinutes(4));
        for (String image : many(300)) {
            registry.failing.put(image, answer(503));
        }
        assertPushArrives(mine, D2);
        cluster.runs(mine, D2);
        loop.advance(INTERVAL);
        assertPushArrives(mine, D3);
    }
}
