package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.marcnuri.helm.Helm;
import io.urunner.agent.chart.Chart;
import io.urunner.kube.ApiRequests.Response;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tools that reapply manifests beside the agent, as described in {@code docs/gitops.md}, with the manifests on that
 * page.
 */
class TakenBackIT {
    private static final String KUBECTL = "kubectl-client-side-apply";
    private static final String ARGO = "argocd-controller";
    private static final String FLUX = "kustomize-controller";
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir
    private static Path folder;

    @RegisterExtension
    private static final ClusterScene SCENE = new ClusterScene();

    private static Cluster cluster;
    private static DockerRegistry registry;
    private static TestAgent agent;

    @BeforeAll
    static void start() throws Exception {
        cluster = SCENE.cluster();
        registry = SCENE.registry();
        agent = SCENE.closing(new TestAgent(
                cluster.configuration(), folder.resolve("db"), Duration.ofSeconds(1), registry.host() + "/gitops"));
        agent.start();
        Await.until("ready", Seen.within(SOON), () -> agent.agent().notReady().isEmpty());
    }

    /** One repository with a Deployment from the page's manifest. */
    private static final class Case {
        private final Stage stage =
                new Stage(cluster, registry, registry.host(), agent, "gitops/app-" + NUMBER.incrementAndGet(), true);
        private final WorkloadId id = new WorkloadId(stage.namespace(), WorkloadKind.DEPLOYMENT, "web");
        private final String first = stage.push("dev", "one");

        /** The page's Deployment, with the image of this case. */
        ObjectNode manifest(Consumer<ObjectNode> change) {
            ObjectNode manifest = snippet("deployment.yaml");
            manifest.withObject("/metadata").put("namespace", stage.namespace());
            container(manifest, 0).put("image", stage.image("dev"));
            manifest.withObject("/spec/template/spec").put("terminationGracePeriodSeconds", 0);
            change.accept(manifest);
            return manifest;
        }

        ObjectNode pinned() {
            return manifest(TakenBackIT::pinned);
        }

        void create(String manager, JsonNode manifest) {
            accepted(cluster.send(
                    "POST",
                    "/apis/apps/v1/namespaces/" + stage.namespace() + "/deployments?fieldManager=" + manager,
                    "application/json",
                    manifest));
            stage.awaitRunning(id, first);
        }

        /** Server-side apply, as Flux does it, and Argo CD if configured. */
        void apply(String manager, JsonNode manifest) {
            accepted(cluster.send(
                    "PATCH",
                    Cluster.path(id) + "?force=true&fieldManager=" + manager,
                    "application/apply-patch+yaml",
                    manifest));
        }

        /** The patch that {@code kubectl apply} and Argo CD send: fields of the manifest that differ. */
        void patch(String manager, JsonNode manifest) {
            ObjectNode patch = (ObjectNode) Cluster.json("{}");
            patch.set("spec", manifest.path("spec"));
            accepted(cluster.send(
                    "PATCH",
                    Cluster.path(id) + "?fieldManager=" + manager,
                    "application/strategic-merge-patch+json",
                    patch));
        }

        /** Waits until a push is pinned and runs. */
        String pushPinned(String content) throws Exception {
            String digest = stage.push("dev", content);
            stage.awaitRunning(id, digest);
            assertThat(image(0)).isEqualTo(stage.image("dev") + "@" + digest);
            stage.awaitEvent(id, "RolloutSucceeded", digest.substring(0, 19));
            return digest;
        }

        String image(int container) {
            return cluster.read(id)
                    .at("/spec/template/spec/containers/" + container + "/image")
                    .asText();
        }

        /** Verifies that the author is reported once, and that neither this digest nor the next one is rolled out. */
        void isRejected(String manager) throws Exception {
            stage.awaitEvent(id, "RolloutBlocked", "rejected by a revert", manager + " put the tag back");
            // It is reported before it is written, and writing it is a change, too.
            Await.until(
                    "it is written",
                    Seen.within(SOON),
                    () -> !stage.state(id).at("/containers/app/rejectedBy").isMissingNode());
            long changes = stage.changes(id);
            stage.staysChanged(id, changes);
            stage.push("dev", "next");
            stage.awaitPasses(2);
            stage.staysChanged(id, changes);
            assertThat(stage.events(id))
                    .filteredOn(event -> event.startsWith("RolloutBlocked "))
                    .hasSize(1)
                    .noneMatch(event -> event.contains("if-not-always"));
            assertThat(stage.events(id)).noneMatch(event -> event.startsWith("StillOldImage "));
        }
    }

    @AtOnce
    void kubectlApplyRemovesThePinAndResumeTriesItAgain() throws Exception {
        Case here = new Case();
        here.create(KUBECTL, here.pinned());
        here.pushPinned("two");
        here.patch(KUBECTL, here.pinned());
        here.stage.awaitRunning(here.id, here.first);
        here.isRejected(KUBECTL);
        Map<String, String> settings =
                AgentProcess.settings(cluster, folder.resolve("db"), 1, registry.host() + "/gitops");
        try (AgentProcess resume =
                AgentProcess.start(folder.resolve("resume.log"), settings, "resume", here.id.toString())) {
            assertThat(resume.exitCode()).as(resume.log()).isZero();
            assertThat(resume.log()).contains("no longer rejected: the pin of ", "will be pinned again");
        }
        here.pushPinned("three");
    }

    @AtOnce
    void fluxRemovesThePinAtItsNextInterval() throws Exception {
        Case here = new Case();
        here.apply(FLUX, here.pinned());
        here.stage.awaitRunning(here.id, here.first);
        here.pushPinned("two");
        here.apply(FLUX, here.pinned());
        here.isRejected(FLUX);
    }

    @AtOnce
    void revertingOneOfTwoContainersIsEnough() throws Exception {
        Case here = new Case();
        String side = here.stage.push("side", "side");
        Consumer<ObjectNode> two = manifest -> {
            pinned(manifest);
            here.stage.container(manifest, "containers", "side", "side").put("imagePullPolicy", "IfNotPresent");
        };
        here.create(ARGO, here.manifest(two));
        String second = here.stage.push("dev", "two");
        here.stage.awaitRunning(here.id, second, side);
        here.patch(ARGO, here.manifest(manifest -> {
            two.accept(manifest);
            containers(manifest).remove(1);
        }));
        here.isRejected(ARGO);
        here.stage.push("side", "side two");
        here.stage.staysChanged(here.id, 3);
        assertThat(here.image(0)).doesNotContain("@");
        assertThat(here.image(1)).as("left alone").contains("@");
    }

    @AtOnce
    void replacingTheWholeObjectIsNotFoughtEither() throws Exception {
        Case here = new Case();
        here.create("kubectl-replace", here.pinned());
        here.pushPinned("two");
        accepted(cluster.send(
                "PUT", Cluster.path(here.id) + "?fieldManager=kubectl-replace", "application/json", here.pinned()));
        here.isRejected("kubectl-replace");
    }

    @AtOnce
    void helmRemovesThePinAtEachUpgrade() throws Exception {
        Case here = new Case();
        Path chart = chart(here.pinned());
        upgrade(here, chart);
        here.stage.awaitRunning(here.id, here.first);
        here.pushPinned("two");
        upgrade(here, chart);
        assertThat(here.image(0)).doesNotContain("@");
        here.isRejected("");
    }

    @AtOnce
    void anImageThatArgoIgnoresStaysPinned() throws Exception {
        JsonNode application = snippet("application.yaml");
        assertThat(application.at("/spec/syncPolicy/syncOptions/0").asText())
                .isEqualTo("RespectIgnoreDifferences=true");
        JsonNode rule = application.at("/spec/ignoreDifferences/0");
        assertThat(rule.path("kind").asText()).isEqualTo("Deployment");
        assertThat(rule.at("/jqPathExpressions/0").asText()).isEqualTo(".spec.template.spec.containers[].image");
        Case here = new Case();
        here.apply(ARGO, here.pinned());
        here.stage.awaitRunning(here.id, here.first);
        here.pushPinned("two");
        assertThat(rule.path("jsonPointers"))
                .isNotEmpty()
                .allSatisfy(pointer -> assertThat(
                                cluster.read(here.id).at(pointer.asText()).isMissingNode())
                        .as(pointer.asText())
                        .isFalse());
        // It takes ignored fields from the live object.
        here.apply(ARGO, here.manifest(manifest -> {
            pinned(manifest);
            container(manifest, 0).put("image", here.image(0));
        }));
        here.stage.staysChanged(here.id, 1);
        here.pushPinned("three");
    }

    @AtOnce
    void anImageThatFluxIgnoresStaysPinned() throws Exception {
        JsonNode rule = snippet("kustomization.yaml").at("/spec/ignore/0");
        assertThat(rule.at("/target/kind").asText()).isEqualTo("Deployment");
        Case here = new Case();
        here.apply(FLUX, here.pinned());
        here.stage.awaitRunning(here.id, here.first);
        here.pushPinned("two");
        ObjectNode left = here.pinned();
        for (JsonNode path : rule.path("paths")) {
            int name = path.asText().lastIndexOf('/');
            ((ObjectNode) left.at(path.asText().substring(0, name)))
                    .remove(path.asText().substring(name + 1));
        }
        assertThat(container(left, 0).has("image")).isFalse();
        here.apply(FLUX, left);
        here.stage.staysChanged(here.id, 1);
        here.pushPinned("three");
    }

    @AtOnce
    void withPullPolicyAlwaysTheToolsDoNotInterfere() throws Exception {
        for (String manager : List.of(KUBECTL, ARGO, FLUX, "helm")) {
            Case here = new Case();
            ObjectNode manifest = here.manifest(any -> {});
            Path chart = chart(manifest);
            Runnable again = switch (manager) {
                case KUBECTL -> () -> here.patch(manager, manifest);
                case "helm" -> () -> upgrade(here, chart);
                default -> () -> here.apply(manager, manifest);
            };
            if (manager.equals(KUBECTL)) {
                here.create(manager, manifest);
            } else {
                again.run();
                here.stage.awaitRunning(here.id, here.first);
            }
            String second = here.stage.push("dev", "two");
            here.stage.awaitRunning(here.id, second);
            again.run();
            here.stage.staysChanged(here.id, 1);
            assertThat(Seen.actedOn(cluster, here.id, second)).as(manager).isTrue();
            assertThat(here.stage.events(here.id)).noneMatch(event -> event.startsWith("RolloutBlocked "));
        }
    }

    private static void accepted(Response response) {
        assertThat(response.status()).as(response.toString()).isBetween(200, 201);
    }

    private static void upgrade(Case here, Path chart) {
        new Helm(chart)
                .upgrade()
                .withName("web")
                .withNamespace(here.stage.namespace())
                .withKubeConfig(cluster.kubeconfig())
                .install()
                .call();
    }

    private static Path chart(JsonNode manifest) throws IOException {
        Path chart = folder.resolve("chart-" + NUMBER.incrementAndGet());
        Files.createDirectories(chart.resolve("templates"));
        Files.writeString(chart.resolve("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        Files.writeString(chart.resolve("templates/deployment.yaml"), manifest.toPrettyString());
        return chart;
    }

    private static void pinned(ObjectNode manifest) {
        manifest.withObject("/metadata/annotations").put("urunner.io/if-not-always", "pin");
        container(manifest, 0).put("imagePullPolicy", "IfNotPresent");
    }

    private static ArrayNode containers(ObjectNode manifest) {
        return (ArrayNode) manifest.at("/spec/template/spec/containers");
    }

    private static ObjectNode container(ObjectNode manifest, int number) {
        return (ObjectNode) containers(manifest).get(number);
    }

    /** A manifest on the page, by the name in its first line. */
    private static ObjectNode snippet(String name) {
        try {
            Matcher snippet = Pattern.compile("```yaml\\R# " + Pattern.quote(name) + "\\R(.*?)```", Pattern.DOTALL)
                    .matcher(Files.readString(Path.of("..", "docs", "gitops.md")));
            assertThat(snippet.find()).as(name).isTrue();
            return (ObjectNode) Chart.documents(snippet.group(1)).get(0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
