package io.urunner.kube.testing;

import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubeapitest.binary.Binaries;
import io.fabric8.kubeapitest.binary.BinaryManager;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConfigurationException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real kube-apiserver with RBAC and etcd, without controllers: what is written stays as it is. It starts in a few
 * seconds. The programs are those of kube-api-test: under {@code ~/.kubeapitest}, or downloaded if there is a network.
 * We start them ourselves, because kube-api-test gives up both when one of them is killed.
 */
public final class ApiServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);

    private final Path folder;
    private final List<String> command = new ArrayList<>();
    private Process etcd;
    private Process server;

    private ApiServer(Path folder) {
        this.folder = folder;
    }

    /** Starts one, with more flags for kube-apiserver. Without the programs the test is skipped; in CI it fails. */
    public static ApiServer start(String... flags) {
        Binaries programs = programs();
        ApiServer started = null;
        try {
            started = new ApiServer(Files.createTempDirectory("api-server"));
            started.begin(programs, List.of(flags));
            return started;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("cannot start kube-apiserver", e);
        } catch (AssertionError e) {
            started.close();
            throw e;
        }
    }

    private static Binaries programs() {
        try {
            BinaryManager manager = new BinaryManager(KubeAPIServerConfigBuilder.anAPIServerConfig()
                    .withOfflineMode(Files.isDirectory(Path.of(System.getProperty("user.home"), ".kubeapitest", "k8s")))
                    .build());
            manager.initAndDownloadIfRequired();
            return manager.binaries();
        } catch (RuntimeException e) {
            throw Requirement.missing(
                    "there is no kube-apiserver under ~/.kubeapitest, and none could be downloaded: " + e);
        }
    }

    private void begin(Binaries programs, List<String> flags) throws IOException, GeneralSecurityException {
        int etcdPort = freePort();
        int peerPort = freePort();
        int port = freePort();
        etcd = run(
                "etcd",
                List.of(
                        programs.getEtcd().getAbsolutePath(),
                        "--data-dir=" + folder.resolve("etcd"),
                        "--listen-client-urls=http://127.0.0.1:" + etcdPort,
                        "--advertise-client-urls=http://127.0.0.1:" + etcdPort,
                        "--listen-peer-urls=http://127.0.0.1:" + peerPort,
                        "--initial-advertise-peer-urls=http://127.0.0.1:" + peerPort,
                        "--initial-cluster=default=http://127.0.0.1:" + peerPort,
                        "--unsafe-no-fsync=true"));
        String token = UUID.randomUUID().toString();
        Files.writeString(folder.resolve("tokens.csv"), token + ",admin,admin,system:masters\n");
        Files.writeString(
                folder.resolve("audit.yaml"),
                "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n");
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        KeyPair keys = generator.generateKeyPair();
        pem("sa.key", "PRIVATE KEY", keys.getPrivate().getEncoded());
        pem("sa.pub", "PUBLIC KEY", keys.getPublic().getEncoded());
        command.addAll(List.of(
                programs.getApiServer().getAbsolutePath(),
                "--etcd-servers=http://127.0.0.1:" + etcdPort,
                "--bind-address=127.0.0.1",
                "--secure-port=" + port,
                "--cert-dir=" + folder,
                "--token-auth-file=" + folder.resolve("tokens.csv"),
                "--authorization-mode=RBAC",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + folder.resolve("sa.pub"),
                "--service-account-signing-key-file=" + folder.resolve("sa.key"),
                "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount",
                "--endpoint-reconciler-type=none",
                "--audit-policy-file=" + folder.resolve("audit.yaml"),
                "--audit-log-path=" + folder.resolve("audit.log")));
        command.addAll(flags);
        Files.writeString(kubeconfig(), """
                current-context: test
                contexts: [{name: test, context: {cluster: test, user: admin}}]
                clusters: [{name: test, cluster: {server: "https://127.0.0.1:%d", certificate-authority: apiserver.crt}}]
                users: [{name: admin, user: {token: %s}}]
                """.formatted(port, token));
        startAgain();
    }

    /** Below the ports that systems use for connections, and below those that control planes of tests choose from. */
    private static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_240, 20_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // Something listens there: the next one.
            }
        }
    }

    private void pem(String name, String type, byte[] der) throws IOException {
        Files.writeString(
                folder.resolve(name),
                "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + type
                        + "-----\n");
    }

    private Process run(String name, List<String> arguments) throws IOException {
        File log = folder.resolve(name + ".log").toFile();
        return new ProcessBuilder(arguments)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .start();
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

    /** The requests to this API server. */
    public AuditLog auditLog() {
        return new AuditLog(folder.resolve("audit.log"));
    }

    /** Kills kube-apiserver; etcd keeps running. */
    public synchronized void kill() {
        server.destroyForcibly().onExit().join();
    }

    /** Starts kube-apiserver again after {@link #kill}, and waits until it is ready. */
    public synchronized void startAgain() {
        try {
            server = run("kube-apiserver", command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Await.until("kube-apiserver has a certificate", START, () -> Files.exists(folder.resolve("apiserver.crt")));
        try (Cluster cluster = Cluster.of(kubeconfig())) {
            Await.until("kube-apiserver is ready, see " + folder, START, () -> {
                if (!server.isAlive()) {
                    throw new IOException(Files.readString(folder.resolve("kube-apiserver.log")));
                }
                return cluster.find("/api/v1/namespaces/default").isPresent();
            });
        }
    }

    @Override
    public synchronized void close() {
        for (Process process : new Process[] {server, etcd}) {
            if (process != null) {
                process.destroy();
                try {
                    if (!process.waitFor(3, TimeUnit.SECONDS)) {
                        process.destroyForcibly().waitFor();
                    }
                } catch (InterruptedException e) {
                    process.destroyForcibly();
                    Thread.currentThread().interrupt();
                }
            }
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
