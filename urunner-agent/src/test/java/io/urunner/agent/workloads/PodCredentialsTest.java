package io.urunner.agent.workloads;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.testing.TestWorkload;
import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.CredentialException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How often the API server is asked for pull secrets, and which of them are kept. */
class PodCredentialsTest {
    private static final ImageReference APP = ImageReference.parse("r.example/team/app:latest");
    private static final WorkloadId ID = new WorkloadId("shop", WorkloadKind.DEPLOYMENT, "web");

    @TempDir
    private Path folder;

    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
    private HttpServer server;
    private KubeConnection connection;
    private volatile int status = 200;
    /** What else the Secrets contain. */
    private volatile String more = "";

    private volatile String type = "kubernetes.io/dockerconfigjson";
    private volatile String config = Base64.getEncoder()
            .encodeToString("{\"auths\":{\"r.example\":{\"username\":\"u\",\"password\":\"p\"}}}"
                    .getBytes(StandardCharsets.UTF_8));

    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private final PodCredentials credentials = new PodCredentials(() -> now);

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().getPath().replaceFirst(".*/", ""));
            byte[] body = ("{\"type\":\"" + type + "\",\"data\":{\".dockerconfigjson\":\"" + config + "\"" + more
                            + "}}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        Path kubeconfig = Files.writeString(
                folder.resolve("kubeconfig"), """
                apiVersion: v1
                kind: Config
                clusters: [{name: one, cluster: {server: "http://127.0.0.1:%d"}}]
                users: [{name: none, user: {}}]
                contexts: [{name: one, context: {cluster: one, user: none}}]
                current-context: one
                """.formatted(server.getAddress().getPort()));
        connection = new KubeConnection(KubeConfiguration.kubeconfig(kubeconfig), executor);
        credentials.connect(new KubeAccess(connection));
    }

    @AfterEach
    void stop() {
        connection.close();
        executor.shutdownNow();
        server.stop(0);
    }

    @Test
    void aSecretNoLongerNamedByAWorkloadIsForgotten() throws Exception {
        for (String secret : List.of("a", "b", "a")) {
            credentials.uses(workload(secret), List.of(APP));
            for (int i = 0; i < 10; i++) {
                assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
            }
        }
        assertThat(asked).containsExactly("a", "b", "a");
    }

    @Test
    void anInvalidSecretNameIsSkippedAndReportedOnce() throws Exception {
        List<String> told = new ArrayList<>();
        credentials.connect(new KubeAccess(connection), new PodCredentials.Problems() {
            @Override
            public void missing(String what, String message) {
                told.add(message);
            }

            @Override
            public void well(String what) {}
        });
        for (String name : List.of(
                "../../tenant-a/secrets/x",
                "",
                ".",
                "..",
                "a b",
                "a/b",
                "a%2fb",
                "a?limit=1",
                "a#",
                "A",
                "a\n",
                "ä",
                "-a",
                "a..b",
                "a".repeat(254),
                "\u202ea\u0007".repeat(100_000))) {
            credentials.uses(workload(name), List.of(APP));
            assertThat(credentials.credentials("r.example", "team/app"))
                    .as(name)
                    .isEmpty();
        }
        assertThat(asked).isEmpty();
        assertThat(told)
                .containsExactly("a workload or service account in namespace shop names a pull secret"
                        + " '../../tenant-a/secrets/x', which is not a valid name: it is skipped");
        credentials.uses(workload("a.b-1"), List.of(APP));
        assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
    }

    @Test
    void aUselessSecretIsExplainedWithItsNameAndWithoutItsContent() {
        String entry = "{\"username\":\"u\",\"password\":\"s3cret\"}";
        assertThat(problems("kubernetes.io/dockerconfigjson", "{\"auths\":{\"r.example\":" + entry + "}}"))
                .isEmpty();
        assertThat(problems("Opaque", "{\"auths\":{\"r.example\":" + entry + "}}"))
                .containsExactly(
                        "the secret a is not a pull secret: its type is Opaque, not kubernetes.io/dockerconfigjson");
        assertThat(problems("kubernetes.io/dockerconfigjson", "{\"auths\":{\"r.example:443\":" + entry + "}}"))
                .containsExactly(
                        "the pull secrets (a) have no entry for r.example/team/app, only one for r.example:443:"
                                + " the key must have the same port as the image");
        assertThat(problems("kubernetes.io/dockerconfigjson", "{\"auths\":{\"q.example\":" + entry + "}}"))
                .containsExactly("the pull secrets (a) have no entry for r.example/team/app");
        assertThat(problems(
                        "kubernetes.io/dockerconfigjson", "{\"auths\":{\"r.example\":{\"identitytoken\":\"s3cret\"}}}"))
                .singleElement()
                .asString()
                .contains("(a)", "no user and password");
        assertThat(problems("kubernetes.io/dockerconfigjson", "{\"auths\":{\"r.example\":{\"auth\":\"s3cret!\"}}}"))
                .containsExactly("the pull secret a cannot be read for r.example: its auth is not base64");
        assertThat(problems("kubernetes.io/dockerconfigjson", "{s3cret"))
                .singleElement()
                .asString()
                .startsWith("the pull secret a cannot be read: not JSON")
                .doesNotContain("s3cret");
        assertThat(problems("kubernetes.io/dockercfg", "{}")).containsExactly("the pull secret a has no .dockercfg");
        status = 404;
        assertThat(problems("", "")).containsExactly("there is no secret a");
        status = 403;
        assertThat(problems("", "")).containsExactly("the agent is not allowed to read the pull secret a");
        credentials.uses(workload("A"), List.of(APP));
        assertThat(credentials.of("shop").problems("r.example", "team/app"))
                .containsExactly("no pull secret can have the name 'A'");
        credentials.uses(workload("a"), List.of(APP));
        assertThat(credentials.of("pay").problems("r.example", "team/app"))
                .as("another namespace's")
                .isEmpty();
    }

    private List<String> problems(String newType, String content) {
        type = newType;
        config = Base64.getEncoder().encodeToString(content.getBytes(StandardCharsets.UTF_8));
        now = now.plus(Duration.ofMinutes(10));
        credentials.uses(workload("a"), List.of(APP));
        return credentials.of("shop").problems("r.example", "team/app");
    }

    @Test
    void aUselessSecretIsReadAgainSoon() throws Exception {
        credentials.uses(workload("a"), List.of(APP));
        type = "Opaque";
        assertThat(credentials.credentials("r.example", "team/app")).isEmpty();
        type = "kubernetes.io/dockerconfigjson";
        now = now.plus(Duration.ofSeconds(16));
        assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
        now = now.plus(Duration.ofSeconds(16));
        assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
        assertThat(asked).as("a secret that gives access is kept").hasSize(2);
    }

    @Test
    void aFailingApiServerIsNotAskedForASecretWithEveryQuestion() throws Exception {
        credentials.uses(workload("a"), List.of(APP));
        status = 500;
        for (int i = 0; i < 60; i++) {
            assertThatThrownBy(() -> credentials.credentials("r.example", "team/app"))
                    .isInstanceOf(CredentialException.class);
            now = now.plus(Duration.ofMillis(500));
        }
        assertThat(asked).as("in half a minute").hasSize(6);
        status = 200;
        now = now.plus(Duration.ofSeconds(5));
        assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
    }

    @Test
    void aSecretIsReadAgainAlthoughTheClockWasSetBack() throws Exception {
        credentials.uses(workload("a"), List.of(APP));
        credentials.credentials("r.example", "team/app");
        now = now.minus(Duration.ofDays(1000));
        credentials.credentials("r.example", "team/app");
        assertThat(asked).hasSize(2);
        status = 500;
        now = now.plus(Duration.ofMinutes(5));
        credentials.credentials("r.example", "team/app");
        status = 200;
        now = now.minus(Duration.ofDays(1000));
        credentials.credentials("r.example", "team/app");
        assertThat(asked).hasSize(4);
    }

    @Test
    void theSecretsOfANamespaceAreLimitedToAMegabyteAndThoseOfAnotherAreRead() throws Exception {
        List<String> told = connectAndHear();
        more = ",\"more\":\"" + "QUJD".repeat(80_000) + '"';
        List<String> many = IntStream.range(0, 100).mapToObj(i -> "s" + i).toList();
        credentials.uses(workload(ID, many), List.of(APP));
        for (int i = 0; i < 3; i++) {
            assertThat(credentials.credentials("r.example", "team/app")).hasSize(1);
        }
        assertThat(told)
                .containsExactly(
                        "the secret s4 in namespace shop is not used: together with the other pull secrets there"
                                + " it exceeds 1024 kB");
        assertThat(asked)
                .as("a secret beyond the limit is not read with every question")
                .hasSize(100);

        credentials.uses(
                workload(new WorkloadId("pay", WorkloadKind.DEPLOYMENT, "web"), many.subList(0, 4)), List.of(APP));
        assertThat(credentials.of("pay").credentials("r.example", "team/app")).hasSize(1);
        assertThat(told).hasSize(1);
    }

    @Test
    void theSecretsOfAllNamespacesAreLimitedTogetherAndANamespaceWithFewIsStillRead() throws Exception {
        List<String> told = connectAndHear();
        more = ",\"more\":\"" + "QUJD".repeat(80_000) + '"';
        for (int i = 0; i < 12; i++) {
            credentials.uses(
                    workload(new WorkloadId("evil" + i, WorkloadKind.DEPLOYMENT, "web"), List.of("a", "b", "c", "d")),
                    List.of(APP));
            credentials.of("evil" + i).credentials("r.example", "team/app");
        }
        assertThat(told)
                .hasSize(4)
                .first()
                .isEqualTo("the secret c in namespace evil8 is not used: the pull secrets of all namespaces exceed"
                        + " 8192 kB");
        more = "";
        credentials.uses(workload("a"), List.of(APP));
        assertThat(credentials.of("shop").credentials("r.example", "team/app")).hasSize(1);
        assertThat(told).hasSize(4);
    }

    private List<String> connectAndHear() {
        List<String> told = new ArrayList<>();
        credentials.connect(new KubeAccess(connection), new PodCredentials.Problems() {
            @Override
            public void missing(String what, String message) {
                told.add(message);
            }

            @Override
            public void well(String what) {}
        });
        return told;
    }

    private static Workload workload(String secret) {
        return workload(ID, List.of(secret));
    }

    private static Workload workload(WorkloadId id, List<String> secrets) {
        return TestWorkload.of(id)
                .container("app", APP.toString(), "Always")
                .imagePullSecrets(secrets)
                .build();
    }
}
