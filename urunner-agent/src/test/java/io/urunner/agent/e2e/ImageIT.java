package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.agent.chart.Chart;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.kube.testing.Requirement;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import io.urunner.registry.testing.Program;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The published image ({@code -Pimage} builds it), in a real container: locked down as in the chart, with the
 * chart's permissions, beside a real control plane and a real registry.
 */
class ImageIT {
    private static final Path IMAGE = Path.of("target", "urunner-image.tar").toAbsolutePath();
    private static final long MEGABYTE = 1_000_000;
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private Cluster cluster;
    private DockerRegistry registry;
    private String namespace;
    private String image;

    @BeforeEach
    void start() throws Exception {
        if (!Files.exists(IMAGE)) {
            throw Requirement.missing("there is no " + IMAGE.getFileName() + ": -Pimage builds it");
        }
        Program.require("podman", "Debian's package podman");
        Program.require("runc", "Debian's package runc");
        cluster = Cluster.connect();
        registry = DockerRegistry.start();
        namespace = cluster.enabledNamespace();
        image = podman("load", "--quiet", "--input", IMAGE.toString())
                .replaceFirst("(?s).*Loaded image: (\\S+).*", "$1");
    }

    @AfterEach
    void stop() throws Exception {
        if (image != null) {
            podman("rm", "--all", "--force", "--time", "0");
            podman("rmi", "--all", "--force");
        }
        if (registry != null) {
            registry.close();
        }
        if (cluster != null) {
            cluster.deleteRole(namespace, "agent");
            cluster.close();
        }
    }

    @Test
    void itIsSmallAndHasItsMetadata() throws Exception {
        System.out.printf("the image has %.1f MB compressed%n", (double) Files.size(IMAGE) / MEGABYTE);
        assertThat(Files.size(IMAGE)).isLessThan(90 * MEGABYTE);
        JsonNode config = Cluster.json(podman("image", "inspect", image)).path(0);
        assertThat(config.path("Config").path("User").asText()).isEqualTo("65532:65532");
        assertThat(config.path("Architecture").asText())
                .isEqualTo(System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64");
        assertThat(config.path("Labels")
                        .path("org.opencontainers.image.version")
                        .asText())
                .isNotEmpty();
        assertThat(config.path("Labels").path("org.opencontainers.image.source").asText())
                .startsWith("https://");
    }

    @Test
    void itContainsItsSboms() throws Exception {
        podman("create", "--name", "lists", image);
        podman("cp", "lists:/usr/share/sbom", folder.resolve("sbom").toString());
        JsonNode jar = Cluster.json(Files.readString(folder.resolve("sbom/urunner-agent.cdx.json")));
        assertThat(jar.findValuesAsText("purl")).anyMatch(purl -> purl.startsWith("pkg:maven/com.squareup.okhttp3/"));
        JsonNode rest = Cluster.json(Files.readString(folder.resolve("sbom/image.cdx.json")));
        assertThat(rest.findValuesAsText("name")).contains("java-runtime", "libc.so.6");
        assertThat(rest.path("components"))
                .allSatisfy(component -> assertThat(component.path("version").asText()
                                + component
                                        .path("hashes")
                                        .path(0)
                                        .path("content")
                                        .asText())
                        .isNotEmpty());
    }

    @Test
    void theMainLoopRunsIn128MebibytesOnAReadOnlyRoot() throws Exception {
        registry.push("team/app", "latest", "one");
        WorkloadId web = cluster.deployment(namespace, "web", registry.host() + "/team/app:latest", 1);
        cluster.awaitRollout(web, Seen.within(SOON));
        run("128m", "URUNNER_CONF_LOG_FORMAT=json");
        awaitLog("synced with the cluster");
        String second = registry.push("team/app", "latest", "two");
        Await.until("the push runs", Seen.within(SOON), () -> Seen.running(cluster, namespace, 1, second));
        awaitLog("rollout succeeded");
        System.out.println(
                podman("stats", "--no-stream", "--format", "the agent's container has {{.MemUsage}}", "agent")
                        .strip());
        podman("stop", "--time", "10", "agent");
        assertThat(log().lines())
                .as("every line has the requested format, from the first on")
                .hasSizeGreaterThan(3)
                .allSatisfy(line -> assertThat(Cluster.json(line).path("level").asText())
                        .as(line)
                        .isNotEmpty());
        JsonNode state = Cluster.json(podman("inspect", "agent")).path(0).path("State");
        assertThat(state.path("OOMKilled").asBoolean()).isFalse();
        assertThat(state.path("ExitCode").asInt()).as(log()).isZero();
    }

    @Test
    void aCommandFitsBesideTheAgentInTheChartsLimit() throws Exception {
        registry.push("team/app", "latest", "one");
        WorkloadId web = cluster.deployment(namespace, "web", registry.host() + "/team/app:latest", 1);
        cluster.awaitRollout(web, Seen.within(SOON));
        run(Chart.render()
                .container()
                .path("resources")
                .path("limits")
                .path("memory")
                .asText()
                .replace("Mi", "m"));
        awaitLog("synced with the cluster");
        assertThat(exec("config")).contains(registry.host());
        assertThat(exec("digest", registry.host() + "/team/app:latest")).contains("sha256:");
        Await.until(
                "a pass is complete", Seen.within(SOON), () -> exec("explain").contains("up to date"));
        assertThat(exec("explain", web.toString()))
                .contains("the running agent ", registry.host() + "/team/app:latest", "up to date");
        assertThat(exec("doctor")).contains("the running agent ", registry.host());
        assertThat(Cluster.json(podman("inspect", "agent"))
                        .path(0)
                        .path("State")
                        .path("Running")
                        .asBoolean())
                .as(log())
                .isTrue();
    }

    /** Runs the agent like a pod of the chart: with its user, permissions, token and environment. */
    private void run(String memory, String... variables) throws Exception {
        Chart chart = Chart.render(folder, "config: {URUNNER_CONF_FREQUENCY_CHECK_SECONDS: 1}");
        Path kubeconfig = cluster.serviceAccount(
                namespace, "agent", chart.only("ClusterRole").path("rules").toString());
        Path account = Files.createDirectory(folder.resolve("account"));
        Files.writeString(
                account.resolve("token"),
                Cluster.json(Files.readString(kubeconfig)).findPath("token").asText());
        Files.writeString(account.resolve("namespace"), namespace);
        Files.write(
                account.resolve("ca.crt"),
                Base64.getDecoder()
                        .decode(Chart.documents(Files.readString(cluster.kubeconfig()))
                                .get(0)
                                .findPath("certificate-authority-data")
                                .asText()));
        URI server = cluster.configuration().server();
        List<String> command = new ArrayList<>(List.of(
                "run",
                "--detach",
                "--name",
                "agent",
                "--memory",
                memory,
                "--read-only",
                "--cap-drop",
                "all",
                "--security-opt",
                "no-new-privileges",
                "--network",
                "host",
                "--ulimit",
                "nofile=20000:20000",
                "--ulimit",
                "nproc=4096:4096",
                "--tmpfs",
                "/tmp:rw,mode=1777",
                "--tmpfs",
                "/var/lib/urunner:rw,mode=1777",
                "--volume",
                account + ":/var/run/secrets/kubernetes.io/serviceaccount:ro",
                "--env",
                "KUBERNETES_SERVICE_HOST=" + server.getHost(),
                "--env",
                "KUBERNETES_SERVICE_PORT=" + server.getPort(),
                "--env",
                "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH=" + registry.host(),
                "--env",
                "URUNNER_CONF_CONTAINER_REGISTRY_TYPE=generic",
                "--env",
                "URUNNER_CONF_HTTP_PORT=" + FreePort.find()));
        chart.environment().forEach((name, value) -> {
            if (!name.equals("URUNNER_CONFIG")) {
                command.addAll(List.of("--env", name + "=" + value));
            }
        });
        for (String variable : variables) {
            command.addAll(List.of("--env", variable));
        }
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        command.add(image);
        podman(command.toArray(String[]::new));
    }

    /** Runs a command like {@code kubectl exec}. */
    private String exec(String... command) {
        List<String> words = new ArrayList<>(List.of("exec", "agent", "urunner"));
        words.addAll(Arrays.asList(command));
        try {
            return podman(words.toArray(String[]::new));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitLog(String text) {
        Await.until(text, Seen.within(SOON), () -> log().contains(text));
    }

    private String log() {
        try {
            return podman("logs", "agent");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Podman with its own storage, and options that work for a container in a container. */
    private String podman(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "podman",
                "--root",
                folder.resolve("store").toString(),
                "--runroot",
                folder.resolve("run").toString(),
                "--tmpdir",
                folder.resolve("tmp").toString(),
                "--storage-driver",
                "vfs",
                "--cgroup-manager",
                "cgroupfs",
                "--runtime",
                "runc"));
        command.addAll(Arrays.asList(arguments));
        Path out = Files.createTempFile(folder, "podman", ".out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError("podman does not end: " + command);
        }
        String said = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
        return said;
    }
}
