package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.Await;
import io.urunner.kube.testing.Cluster;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.FreePort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several registries in one file, each with its own TLS, credentials, interval and budget. */
class RegistriesIT {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int BUDGET = 5;

    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES)
    void eachRegistryIsAskedWithItsOwnSettings() throws Exception {
        HeldCertificate authority = DockerRegistry.newAuthority();
        Path ca = Files.writeString(folder.resolve("ca.pem"), authority.certificatePem());
        Path pass = Files.writeString(folder.resolve("pass"), "registry-pass-1234\n");
        int port = FreePort.find();
        try (Cluster cluster = Cluster.connect();
                DockerRegistry secured = DockerRegistry.builder()
                        .tls(authority)
                        .user("ci", "registry-pass-1234")
                        .start();
                DockerRegistry limited = DockerRegistry.start();
                DockerRegistry slow = DockerRegistry.start()) {
            String namespace = cluster.enabledNamespace();
            for (DockerRegistry registry : new DockerRegistry[] {secured, limited, slow}) {
                registry.push("team/app", "latest", "one");
                cluster.deployment(namespace, "web-" + registry.port(), registry.host() + "/team/app:latest", 0);
            }
            Path file = Files.writeString(folder.resolve("urunner.yaml"), """
                    interval: 1s
                    kubernetes: {auth: kubeconfig}
                    store: {path: %s}
                    http: {port: %d}
                    registries:
                      - host: %s
                        type: generic
                        credentials: {user: ci, pass: {file: %s}}
                        tls: {ca: %s}
                      - {host: %s, budget: %d}
                      - {host: %s, interval: 5m}
                    """.formatted(
                            folder.resolve("db"), port, secured.host(), pass, ca, limited.host(), BUDGET, slow.host()));
            try (AgentProcess agent = AgentProcess.start(
                    folder.resolve("log"),
                    Map.of("KUBECONFIG", cluster.kubeconfig().toString()),
                    "run",
                    "--config",
                    file.toString())) {
                Await.until(
                        "ten passes",
                        Seen.within(SOON),
                        () -> passes(port, secured) >= 10 && found(port, limited) && found(port, slow));
                assertThat(found(port, secured)).isTrue();
                assertThat(passes(port, slow)).isEqualTo(1);
                assertThat(limited.count("HEAD", "/v2/team/app/manifests/"))
                        .as("questions within the minute")
                        .isBetween(1L, 2L * BUDGET);
                assertThat(agent.log()).doesNotContain("WARN");
            }
        }
    }

    private static boolean found(int port, DockerRegistry registry) throws Exception {
        return Metrics.of(port)
                .contains("urunner_resolves_total{outcome=\"found\",registry=\"" + registry.host() + "\"}");
    }

    private static double passes(int port, DockerRegistry registry) throws Exception {
        String line = "urunner_passes_total{registry=\"" + registry.host() + "\"} ";
        return Metrics.of(port)
                .lines()
                .filter(metric -> metric.startsWith(line))
                .mapToDouble(metric -> Double.parseDouble(metric.substring(line.length())))
                .findFirst()
                .orElse(0);
    }
}
