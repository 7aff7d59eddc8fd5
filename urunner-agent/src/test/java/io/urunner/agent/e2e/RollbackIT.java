package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.urunner.agent.app.InProcess.Result;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.Digest;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.Repository;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.TestImage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bad push is taken back with only a single moving tag. */
class RollbackIT {
    @TempDir
    private Path folder;

    @AutoClose
    private RollbackScene scene;

    @BeforeEach
    void start() {
        scene = new RollbackScene(folder);
    }

    @Test
    void itGoesTwoBackIsHeldThereAndGetsTheNewestWhenResumed() throws Exception {
        // The image is written without its tag: that text must be restored.
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 2);
        WorkloadId db = scene.cluster.statefulSet(scene.namespace, "db", scene.image("shop/web") + ":latest", 2);
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web, db), "v1", "v2", "v3");

        scene.done("rollback", web.toString(), "--to", "-2");
        scene.done("rollback", db.toString(), "--to", v.get(0));

        assertThat(scene.runs(web, "app", v.get(0))).isTrue();
        assertThat(scene.runs(db, "app", v.get(0))).isTrue();
        assertThat(scene.templateImage(web, "app")).isEqualTo(scene.image("shop/web") + ":latest@" + v.get(0));
        String v4 = scene.push("shop/web", "v4");
        agent.awaitPasses(3);
        assertThat(scene.runs(web, "app", v.get(0))).isTrue();
        assertThat(scene.runs(db, "app", v.get(0))).isTrue();
        assertThat(agent.agent().status().orElseThrow().workloads())
                .allSatisfy(status ->
                        assertThat(status.decision().orElseThrow().words()).isEqualTo("blocked: held"));
        assertThat(scene.events(web, "RolledBack", "rolled back by anna")).isEqualTo(1);
        assertThat(scene.events(web, "RolloutBlocked", "held"))
                .as("a hold is reported once, by its author")
                .isZero();
        String history = scene.done("history", web.toString(), "--wide");
        assertThat(history)
                .contains("held since", "by anna")
                .containsPattern("-3 +" + v.get(0) + ".* succeeded .* yes")
                .containsPattern("-1 +" + v.get(2) + ".* commit-v3 +v3 ");
        assertThat(scene.done("history", scene.image("shop/web"), "--output", "json"))
                .contains("\"revision\" : \"commit-v3\"", "\"restorable\" : \"yes\"", db.toString());

        scene.done("resume", web.toString());
        scene.done("resume", db.toString());

        assertThat(scene.runs(web, "app", v4)).isTrue();
        assertThat(scene.runs(db, "app", v4)).isTrue();
        assertThat(scene.templateImage(web, "app")).isEqualTo(scene.image("shop/web"));
        assertThat(scene.templateImage(db, "app")).isEqualTo(scene.image("shop/web") + ":latest");
        agent.awaitPasses(2);
        // v1, v2, v3, v1 again, v4: a template each, and no needless one.
        assertThat(Seen.revision(scene.cluster, web)).isEqualTo(5);
        assertThat(scene.held(web)).isFalse();
    }

    @Test
    void onceLeavesItsRolloutToTheNextAgentOrCommand() throws Exception {
        String v1 = scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        Await.until("it runs", Seen.within(RollbackScene.SOON), () -> scene.runs(web, "app", v1));
        scene.cluster.edit(web, "{\"spec\": {\"minReadySeconds\": 500}}"); // its rollout does not end by itself
        String v2 = scene.push("shop/web", "v2");

        scene.done("once");
        assertThat(scene.done("history", web.toString(), "--wide")).containsPattern(v2 + ".* not followed ");
        scene.cluster.edit(web, "{\"spec\": {\"minReadySeconds\": 0}}");
        Await.until("the new one runs", Seen.within(RollbackScene.SOON), () -> scene.runs(web, "app", v2));

        scene.agent().awaitPasses(2);
        Await.until(
                "its end is told",
                Seen.within(RollbackScene.SOON),
                () -> scene.done("history", web.toString(), "--wide").matches("(?s).*" + v2 + "[^\\n]* succeeded .*"));
        assertThat(Seen.revision(scene.cluster, web)).isEqualTo(2);
    }

    @Test
    void aHoldUntilTheNextPushEndsByItself() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        WorkloadId db = scene.cluster.statefulSet(scene.namespace, "db", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web, db), "v1", "v2", "v3");

        for (WorkloadId id : List.of(web, db)) {
            assertThat(scene.done("rollback", id.toString(), "--until-next-push"))
                    .contains("held until the next push");
        }
        agent.awaitPasses(2);
        for (WorkloadId id : List.of(web, db)) {
            assertThat(scene.runs(id, "app", v.get(1))).isTrue();
        }

        scene.rollOut("shop/web", List.of(web, db), "v4");
        for (WorkloadId id : List.of(web, db)) {
            assertThat(scene.held(id)).isFalse();
            assertThat(scene.templateImage(id, "app")).isEqualTo(scene.image("shop/web"));
        }
        assertThat(Seen.revision(scene.cluster, web)).isEqualTo(5);
    }

    @Test
    void oneOfTwoContainersIsTakenBackAndTheOtherStays() throws Exception {
        scene.push("shop/app", "v1");
        String side = scene.registry.push("shop/side", "latest", "side");
        WorkloadId web = scene.twoContainers("web", scene.image("shop/app") + ":latest", scene.image("shop/side"));
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/app", List.of(web), "v1", "v2", "v3");

        Result ambiguous = scene.run("rollback", web.toString());
        assertThat(ambiguous.code()).isEqualTo(2);
        assertThat(ambiguous.err()).contains("--container", "app", "side");

        scene.done("rollback", web.toString(), "--container", "app", "--to", "-2");
        assertThat(scene.runs(web, "app", v.get(0))).isTrue();
        assertThat(scene.runs(web, "side", side)).isTrue();
        assertThat(scene.templateImage(web, "side")).isEqualTo(scene.image("shop/side"));
        String v4 = scene.push("shop/app", "v4");
        agent.awaitPasses(2);
        assertThat(scene.runs(web, "app", v.get(0))).isTrue();
        scene.done("resume", web.toString());
        assertThat(scene.templateImage(web, "app")).isEqualTo(scene.image("shop/app") + ":latest");
        assertThat(scene.runs(web, "app", v4)).isTrue();

        scene.done("rollback", web.toString(), "--container", "app", "--until-next-push");
        assertThat(scene.runs(web, "app", v.get(2))).isTrue();
        scene.rollOut("shop/app", List.of(web), "v5");
        assertThat(scene.held(web)).isFalse();
        assertThat(scene.runs(web, "side", side)).isTrue();
    }

    @Test
    void rollbackWorksWithAnEmptyDatabase() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        WorkloadId db = scene.cluster.statefulSet(scene.namespace, "db", scene.image("shop/web"), 1);
        scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web, db), "v1", "v2", "v3");
        scene.stopAgents();

        for (WorkloadId id : List.of(web, db)) {
            Result history = scene.runOn("empty", "history", id.toString(), "--wide");
            assertThat(history.out()).as(history.toString()).contains(v);
            Result rollback = scene.runOn("empty", "rollback", id.toString(), "--to", "-2");
            assertThat(rollback.code()).as(rollback.toString()).isZero();
            assertThat(scene.runs(id, "app", v.get(0))).isTrue();
        }
        // The same request again does nothing more.
        int revision = Seen.revision(scene.cluster, web);
        Result again = scene.runOn("other", "rollback", web.toString(), "--to", "-2");
        assertThat(again.code()).as(again.toString()).isZero();
        assertThat(again.out()).contains("already held there");
        assertThat(Seen.revision(scene.cluster, web)).isEqualTo(revision);

        TestAgent agent = scene.agent("fresh");
        String v4 = scene.push("shop/web", "v4");
        agent.awaitPasses(3);
        for (WorkloadId id : List.of(web, db)) {
            assertThat(scene.runs(id, "app", v.get(0))).isTrue();
            Result resumed = scene.runOn("lost", "resume", id.toString());
            assertThat(resumed.code()).as(resumed.toString()).isZero();
            assertThat(scene.runs(id, "app", v4)).isTrue();
            assertThat(scene.templateImage(id, "app")).isEqualTo(scene.image("shop/web"));
        }
    }

    @Test
    void aDryRunShowsThePatchAndATimeSelectsTheDigestOfThatTime() throws Exception {
        Instant before = Instant.now();
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        scene.agent();
        List<String> v = new ArrayList<>();
        List<String> times = new ArrayList<>();
        for (String version : List.of("v1", "v2", "v3")) {
            v.addAll(scene.rollOut("shop/web", List.of(web), version));
            times.add(Instant.now().toString());
        }
        scene.stopAgents();
        String untouched = version(web);

        assertThat(scene.done("rollback", web.toString(), "--to", times.get(0), "--dry-run"))
                .contains("nothing was changed; this would be done: container app: ", "; held")
                .contains("image: \"" + scene.image("shop/web") + ":latest@" + v.get(0) + "\"\n");
        String patch = scene.done("rollback", web.toString(), "--to", times.get(0), "--dry-run", "-o", "json");
        assertThat(new ObjectMapper().readTree(patch).at("/patch/spec/template/spec/containers"))
                .hasSize(1)
                .first()
                .satisfies(container -> {
                    assertThat(container.path("name").asText()).isEqualTo("app");
                    assertThat(container.path("image").asText())
                            .isEqualTo(scene.image("shop/web") + ":latest@" + v.get(0));
                });
        assertThat(scene.done("resume", web.toString(), "--dry-run")).contains("is not held");
        Result early = scene.run("rollback", web.toString(), "--to", before.toString());
        assertThat(early.code()).isEqualTo(1);
        assertThat(early.err()).contains("has no digest for --to " + before, "nothing was changed");
        Result wrong = scene.run("rollback", web.toString(), "--to", "yesterday");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).contains("'yesterday'", "2026-02-03T14:05:00Z");
        assertThat(version(web)).isEqualTo(untouched);

        // A time in another zone is the same time.
        scene.done(
                "rollback",
                web.toString(),
                "--to",
                OffsetDateTime.ofInstant(Instant.parse(times.get(1)), ZoneOffset.ofHours(5))
                        .toString());
        assertThat(scene.runs(web, "app", v.get(1))).isTrue();
        scene.done("rollback", web.toString(), "--to", times.get(0));
        assertThat(scene.runs(web, "app", v.get(0))).isTrue();
        String held = version(web);
        assertThat(scene.done("resume", web.toString(), "--dry-run"))
                .contains("image: \"" + scene.image("shop/web") + "\"\n");
        assertThat(version(web)).isEqualTo(held);

        scene.registry.stop();
        Result down = scene.run("resume", web.toString());
        assertThat(down.code()).isEqualTo(1);
        assertThat(down.err()).contains(scene.registry.host(), "nothing was changed");
        assertThat(version(web)).isEqualTo(held);
    }

    /** Differs after every change of the specification, and of the state. */
    private String version(WorkloadId id) {
        JsonNode workload = scene.cluster.read(id);
        return workload.at("/metadata/generation") + " "
                + workload.at("/metadata/annotations").toString();
    }

    @Test
    void aHeldWorkloadIsShownAsHeldEverywhere() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        int port = FreePort.find();
        Map<String, String> settings = scene.settings("db");
        // Agents of other tests also run on this machine.
        settings.put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + folder);
        Map<String, String> serving = new HashMap<>(settings);
        serving.put("URUNNER_CONF_HTTP_PORT", Integer.toString(port));
        try (AgentProcess agent = AgentProcess.start(folder.resolve("run.log"), serving, "run")) {
            scene.rollOut("shop/web", List.of(web), "v1");
            Await.until(
                    "the agent has seen the first version",
                    Seen.within(RollbackScene.SOON),
                    () -> Metrics.of(port)
                            .contains("name=\"web\",namespace=\"" + scene.namespace + "\",state=\"up_to_date\"}"));
            scene.rollOut("shop/web", List.of(web), "v2");
            scene.done("rollback", web.toString());
            String held = "urunner_workloads{cause=\"\",state=\"held\"} 1.0";
            Await.until(
                    "the metrics say so",
                    Seen.within(RollbackScene.SOON),
                    () -> Metrics.of(port).contains(held));
            for (List<String> command : List.of(
                    List.of("explain", web.toString()), List.of("explain", web.toString(), "--output", "json"))) {
                Path log = folder.resolve(command.size() + ".log");
                try (AgentProcess explain = AgentProcess.start(log, settings, command.toArray(String[]::new))) {
                    assertThat(explain.exitCode()).as(explain.log()).isZero();
                    assertThat(explain.log()).contains("the running agent", "blocked: held", "by anna");
                }
            }
            assertThat(scene.eventSaid(web, "RolledBack", "rolled back by anna"))
                    .isTrue();
            assertThat(scene.done("history", web.toString(), "--output", "json"))
                    .contains("\"hold\" : {", "\"by\" : \"anna\"", "\"untilNextPush\" : false");
            assertThat(agent.isAlive()).isTrue();
        }
    }

    @Test
    void missingOrUnknownDigestsAreRefusedBeforeAnythingIsChanged() throws Exception {
        scene.registry.pushIndex("shop/web", "latest", "v1", "amd64", "arm64");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        scene.agent().awaitPasses(2);
        List<String> v = scene.rollOut("shop/web", List.of(web), "v2", "v3");
        scene.stopAgents();
        String before = template(web);
        String index = v.get(0);
        String v1 = scene.registry.pushIndex("shop/other", "latest", "v1", "amd64", "arm64");

        try (RegistryClient client = RegistryClient.builder().build()) {
            Repository repository = Repository.parse(scene.image("shop/web"));
            client.deleteManifest(repository, Digest.parse(index));
            Result gone = scene.run("rollback", web.toString());
            assertThat(gone.code()).isEqualTo(1);
            assertThat(gone.err())
                    .contains(
                            "no longer has " + index.substring(0, 19),
                            "; it has " + v.get(1).substring(0, 19),
                            "nothing was changed");

            // Garbage collection removed the child that the nodes run, and left the index.
            String child = amd64Child(client, v1);
            client.deleteManifest(repository, Digest.parse(child));
            Result broken = scene.run("rollback", web.toString(), "--to", v1);
            assertThat(broken.code()).isEqualTo(1);
            assertThat(broken.err()).contains("still has the index", child.substring(0, 19), "nothing was changed");
            assertThat(scene.done("history", web.toString(), "--wide")).containsPattern(v1 + ".* no ");
        }

        scene.registry.stop();
        Result down = scene.run("rollback", web.toString(), "--to", v1);
        assertThat(down.code()).isEqualTo(1);
        assertThat(down.err()).contains(scene.registry.host(), "nothing was changed");
        assertThat(template(web)).isEqualTo(before);
        assertThat(scene.held(web)).isFalse();
    }

    private String amd64Child(RegistryClient client, String index) throws Exception {
        return ((io.urunner.registry.Index) client.manifest(
                        Repository.parse(scene.image("shop/web")).digest(Digest.parse(index))))
                .select(io.urunner.registry.Platform.LINUX_AMD64)
                .orElseThrow()
                .digest()
                .toString();
    }

    private String template(WorkloadId id) {
        return scene.cluster.read(id).path("spec").path("template").toString();
    }

    @Test
    void anEditEndsTheHoldAndAGitOpsToolIsReportedOnceAndNotFought() throws Exception {
        scene.push("shop/web", "v1");
        scene.registry.push("shop/web", "fix", "fix");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        WorkloadId git = scene.cluster.deployment(scene.namespace, "git", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web, git), "v1", "v2");
        scene.done("rollback", web.toString());
        scene.done("rollback", git.toString());

        edit(web, scene.image("shop/web") + ":fix");
        edit(git, scene.image("shop/web"));

        Await.until("the hold has ended", Seen.within(RollbackScene.SOON), () -> !scene.held(web));
        Await.until(
                "both are told",
                Seen.within(RollbackScene.SOON),
                () -> scene.eventSaid(web, "HoldEnded", "kubectl-edit changed the image of app")
                        && scene.eventSaid(git, "HoldDisturbed", "kubectl-edit put the tag back"));
        agent.awaitPasses(3);
        assertThat(scene.held(git)).isTrue();
        assertThat(scene.templateImage(git, "app")).isEqualTo(scene.image("shop/web"));
        assertThat(scene.events(git, "HoldDisturbed", "put the tag back")).isEqualTo(1);
        assertThat(scene.templateImage(web, "app")).isEqualTo(scene.image("shop/web") + ":fix");
        // The other tag is followed from now on.
        String fix = scene.registry.push("shop/web", "fix", "fix two");
        Await.until("it is followed", Seen.within(RollbackScene.SOON), () -> scene.runs(web, "app", fix));
        // Resuming after somebody already put the tag back causes no needless rollout.
        int revision = Seen.revision(scene.cluster, git);
        scene.done("resume", git.toString());
        agent.awaitPasses(2);
        assertThat(Seen.revision(scene.cluster, git)).isEqualTo(revision);
        assertThat(scene.runs(git, "app", v.get(1))).isTrue();
        assertThat(scene.held(git)).isFalse();
    }

    @Test
    void aPinThatAnUndoBringsBackIsReportedAndRemovedByResume() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web), "v1", "v2", "v3");
        scene.done("rollback", web.toString());
        int pinned = Seen.revision(scene.cluster, web);
        scene.done("resume", web.toString());
        assertThat(scene.runs(web, "app", v.get(2))).isTrue();

        OutcomesIT.undo(scene.cluster, web, pinned);

        Await.until(
                "it is told",
                Seen.within(RollbackScene.SOON),
                () -> scene.eventSaid(web, "RolloutBlocked", "kubectl-rollout put back a pin of ours"));
        String v4 = scene.push("shop/web", "v4");
        agent.awaitPasses(3);
        assertThat(scene.runs(web, "app", v.get(1))).isTrue();
        assertThat(scene.events(web, "RolloutBlocked", "put back a pin of ours"))
                .isEqualTo(1);
        assertThat(scene.done("history", web.toString()))
                .contains(v4.substring(7, 19), v.get(0).substring(7, 19));
        assertThat(scene.done("rollback", web.toString(), "--dry-run"))
                .contains(
                        "from " + v.get(1).substring(0, 19) + " to " + v.get(2).substring(0, 19) + "; held");

        assertThat(scene.done("resume", web.toString()))
                .contains("from " + v.get(1).substring(0, 19) + " to " + v4.substring(0, 19));
        assertThat(scene.runs(web, "app", v4)).isTrue();
        assertThat(scene.templateImage(web, "app")).isIn(scene.image("shop/web"), scene.image("shop/web") + ":latest");
    }

    @Test
    void digestsThatFailedHereNeedForceForRollbackAndResume() throws Exception {
        scene.push("shop/web", "v1");
        WorkloadId web = scene.cluster.deployment(scene.namespace, "web", scene.image("shop/web"), 1);
        TestAgent agent = scene.agent();
        List<String> v = scene.rollOut("shop/web", List.of(web), "v1", "v2");
        List<String> bad = new ArrayList<>();
        for (String content : List.of("crash one " + scene.namespace, "crash two " + scene.namespace)) {
            String digest = TestImage.image(content).digest();
            Cluster.behaviour(digest, "\"crash\"");
            assertThat(scene.registry.push("shop/web", "latest", content)).isEqualTo(digest);
            bad.add(digest);
            Await.until(
                    "it failed",
                    Seen.within(Duration.ofSeconds(90)),
                    () -> scene.state(web).contains("\"failed\":\"" + digest));
        }
        Result there = scene.run("rollback", web.toString(), "--to", bad.get(0));
        assertThat(there.code()).isEqualTo(1);
        assertThat(there.err()).contains(bad.get(0).substring(0, 19) + " failed here at ", "--force");

        assertThat(scene.done("rollback", web.toString()))
                .contains("skipped: " + bad.get(0).substring(0, 19) + ", which failed here at ");
        assertThat(scene.runs(web, "app", v.get(1))).isTrue();
        assertThat(scene.done("rollback", web.toString())).contains("already held there", " stays at ");

        // Also for earlier failures, not only the last one.
        scene.registry.push("shop/web", "latest", "crash one " + scene.namespace);
        agent.awaitPasses(3);
        Result on = scene.run("resume", web.toString());
        assertThat(on.code()).isEqualTo(1);
        assertThat(on.err()).contains(bad.get(0).substring(0, 19) + " failed here at ", "--force");
        assertThat(scene.done("history", web.toString(), "--wide"))
                .containsPattern("\n0 +" + bad.get(0) + ".* failed ")
                .containsPattern("\n +" + bad.get(1) + ".* failed ")
                .containsPattern("\n-1 +" + v.get(1));
        String good = scene.push("shop/web", "v3");
        scene.done("resume", web.toString());
        assertThat(scene.runs(web, "app", good)).isTrue();
        assertThat(scene.done("resume", web.toString()).lines())
                .singleElement()
                .asString()
                .contains("is not held");
    }

    private void edit(WorkloadId id, String image) {
        scene.cluster.edit(
                id,
                "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\",\"imagePullPolicy\":\"Always\",\"image\":\""
                        + image + "\"}]}}}}");
    }
}
