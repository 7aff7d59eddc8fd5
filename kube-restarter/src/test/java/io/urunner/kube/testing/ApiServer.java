package io.urunner.kube.testing;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConfigurationException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A real kube-apiserver with etcd, without controllers: what is written stays as it is. It starts in a few seconds from the
 * programs under {@code ~/.kubeapitest}.
 */
public final class ApiServer implements AutoCloseable {
    private final KubeAPIServer server;
    private final Path folder;
    private final ProcessHandle process;
    private final List<String> command;
    private Process replacement;

    private ApiServer(KubeAPIServer server, Path folder, ProcessHandle process, List<String> command) {
        this.server = server;
        this.folder = folder;
        this.process = process;
        this.command = command;
    }

    /** Starts one, with more flags for kube-apiserver. Without the programs the test is skipped; a failure in CI. */
    public static ApiServer start(String... flags) {
        Path programs = Path.of(System.getProperty("user.home"), ".kubeapitest", "k8s");
        if (!Files.isDirectory(programs)) {
            throw Requirement.missing("there is no kube-apiserver under " + programs);
        }
        KubeAPIServerConfigBuilder builder = KubeAPIServerConfigBuilder.anAPIServerConfig()
                .withUpdateKubeConfig(false)
                .withOfflineMode(true);
        Path folder = auditedFolder();
        builder.withApiServerFlags(List.of(flags));
        builder.withApiServerFlag(
                "--audit-policy-file", folder.resolve("audit.yaml").toString());
        builder.withApiServerFlag(
                "--audit-log-path", folder.resolve("audit.log").toString());
        KubeAPIServer server = new KubeAPIServer(builder.build());
        Set<Long> before =
                ProcessHandle.current().children().map(ProcessHandle::pid).collect(Collectors.toSet());
        server.start();
        try {
            ProcessHandle process = ProcessHandle.current()
                    .children()
                    .filter(each -> !before.contains(each.pid()))
                    .filter(each -> each.info().command().orElse("").endsWith("kube-apiserver"))
                    .findFirst()
                    .orElseThrow();
            List<String> command = new ArrayList<>();
            command.add(process.info().command().orElseThrow());
            command.addAll(List.of(process.info().arguments().orElseThrow()));
            Files.writeString(folder.resolve("kubeconfig"), server.getKubeConfigYaml());
            return new ApiServer(server, folder, process, command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path auditedFolder() {
        try {
            Path folder = Files.createTempDirectory("api-server");
            Files.writeString(
                    folder.resolve("audit.yaml"),
                    "{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Metadata}]}");
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What this API server was asked. */
    public AuditLog auditLog() {
        return new AuditLog(folder.resolve("audit.log"));
    }

    /** A kubeconfig of an administrator. */
    public Path kubeconfig() {
        return folder.resolve("kubeconfig");
    }

    public KubeConfiguration configuration() {
        try {
            return KubeConfiguration.kubeconfig(kubeconfig());
        } catch (KubeConfigurationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Kills kube-apiserver; etcd goes on. */
    public synchronized void kill() {
        if (replacement == null) {
            process.destroyForcibly();
            process.onExit().join();
        } else {
            replacement.destroyForcibly().onExit().join();
        }
    }

    /** Starts kube-apiserver again after {@link #kill}, and waits until it is ready. */
    public synchronized void startAgain() {
        try {
            replacement = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(new File("/dev/null"))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (Cluster cluster = Cluster.of(kubeconfig())) {
            Await.until(
                    "the API server is ready again",
                    Duration.ofSeconds(60),
                    () -> cluster.find("/readyz/ping").isPresent());
        }
    }

    @Override
    public synchronized void close() {
        try {
            if (replacement != null) {
                replacement.destroy();
                if (!replacement.waitFor(10, TimeUnit.SECONDS)) {
                    replacement.destroyForcibly();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.stop();
    }
}
