package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.urunner.kube.testing.Await;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubeConfigurationTest {
    /** O=system:masters, CN=anna; created for this test with openssl. */
    private static final String ANNA = """
            -----BEGIN CERTIFICATE-----
            MIIBpjCCAU2gAwIBAgIUMDKFwHYE0TumzY04EBb2W0227DAwCgYIKoZIzj0EAwIw
            KDEXMBUGA1UECgwOc3lzdGVtOm1hc3RlcnMxDTALBgNVBAMMBGFubmEwIBcNMjYx
            MTMwMDIyMjUxWhgPMjEyNjExMDYwMjIyNTFaMCgxFzAVBgNVBAoMDnN5c3RlbTpt
            YXN0ZXJzMQ0wCwYDVQQDDARhbm5hMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
            hxThn7kM0q6x2kE5aV5RhBjMUllHOrR8KmGXrNM3sbrU3/nyHuSaTuE/TFjIDCTY
            CQeHY997okh/hq4n+oNCbaNTMFEwHQYDVR0OBBYEFCyoWiJnCBb0+JgSicBvYiVF
            hzPBMB8GA1UdIwQYMBaAFCyoWiJnCBb0+JgSicBvYiVFhzPBMA8GA1UdEwEB/wQF
            MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgREHXY+CQBEVHq6is1SvdoC9DTEcSYyJp
            PA+bkkooVzACIEQOKLcQBKZinhmEBX0HWpHn/mldJjJdb5fdoW+ezNHY
            -----END CERTIFICATE-----
            """;

    private static final String KEY_OF_ANNA = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9JA5GjamOnw94M+C
            nSUCdpzOVWWZit0eabG/hltJI9WhRANCAASHFOGfuQzSrrHaQTlpXlGEGMxSWUc6
            tHwqYZes0zexutTf+fIe5JpO4T9MWMgMJNgJB4dj33uiSH+Grif6g0Jt
            -----END PRIVATE KEY-----
            """;

    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static String header(KubeConfiguration configuration) throws IOException {
        return configuration.authorization().header().orElse("none");
    }

    private static String kubeconfig(String user) {
        return """
                apiVersion: v1
                kind: Config
                current-context: main
                contexts:
                - {name: main, context: {cluster: local, user: me, namespace: shop}}
                clusters:
                - {name: local, cluster: {server: "https://127.0.0.1:6443/"}}
                users:
                - name: me
                  user: %s
                """.formatted(user);
    }

    @Test
    void theCurrentContextNamesTheServerAndTheUser() throws Exception {
        KubeConfiguration configuration = KubeConfiguration.kubeconfig(file("config", kubeconfig("{token: abc}")));
        assertThat(configuration.server()).hasToString("https://127.0.0.1:6443");
        assertThat(configuration.namespace()).contains("shop");
        assertThat(header(configuration)).isEqualTo("Bearer abc");
        assertThat(configuration.user()).contains("me");
    }

    @Test
    void theIdentityIsThatOfTheCertificateOrElseTheUsersName() throws Exception {
        String certificate = "{client-certificate: %s, client-key: %s}"
                .formatted(file("anna.pem", ANNA), file("anna.key", KEY_OF_ANNA));
        assertThat(KubeConfiguration.kubeconfig(file("a", kubeconfig(certificate)))
                        .user())
                .contains("anna");
        assertThat(KubeConfiguration.kubeconfig(file("b", kubeconfig("{username: bert, password: x}")))
                        .user())
                .contains("bert");
        assertThat(KubeConfiguration.kubeconfig(file("c", kubeconfig("{}"))).user())
                .contains("me");
    }

    @Test
    void aTokenFileIsReadAgainEachTime() throws Exception {
        Path token = file("token", "one\n");
        KubeConfiguration configuration =
                KubeConfiguration.kubeconfig(file("config", kubeconfig("{tokenFile: token}")));
        assertThat(header(configuration)).isEqualTo("Bearer one");
        Files.writeString(token, "two");
        assertThat(header(configuration)).isEqualTo("Bearer two");
    }

    @Test
    void aUserMayHaveAPasswordOrNothing() throws Exception {
        assertThat(header(KubeConfiguration.kubeconfig(
                        file("config", kubeconfig("{username: aladdin, password: 'open sesame'}")))))
                .isEqualTo("Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assertThat(header(KubeConfiguration.kubeconfig(file("config", kubeconfig("{}")))))
                .isEqualTo("none");
    }

    @Test
    void aCredentialProgramIsRun() throws Exception {
        file("program", """
                #!/bin/sh
                echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
                echo '"status": {"token": "'$T'"}}'
                """);
        KubeConfiguration configuration =
                KubeConfiguration.kubeconfig(file("config", kubeconfig("""
                        {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [%s],
                            env: [{name: T, value: tok}]}}""".formatted(folder.resolve("program")))));
        assertThat(header(configuration)).isEqualTo("Bearer tok");
    }

    @Test
    void aHangingCredentialProgramIsWaitedForOnceAndNotRunAgain() throws Exception {
        CountDownLatch ends = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        ImpatientAuthorization authorization = new ImpatientAuthorization(
                () -> {
                    runs.incrementAndGet();
                    try {
                        ends.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return Optional.of("Bearer late");
                },
                Duration.ofMillis(50));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(authorization::header)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("credential program did not exit");
        }
        ends.countDown();
        Await.until(
                "what it said at last is used",
                Duration.ofSeconds(30),
                () -> authorization.header().equals(Optional.of("Bearer late")));
        assertThat(runs).hasValue(1);
        assertThat(authorization.header()).contains("Bearer late");
        assertThat(runs).hasValue(2);
    }

    @Test
    void theFirstOfSeveralFilesWins() throws Exception {
        Path first = file("first", "{current-context: main, users: [{name: me, user: {token: first}}]}");
        Path second = file("second", kubeconfig("{token: second}"));
        KubeConfiguration configuration = KubeConfiguration.kubeconfig(Map.of(
                "KUBECONFIG",
                first + java.io.File.pathSeparator + folder.resolve("none") + java.io.File.pathSeparator + second));
        assertThat(header(configuration)).isEqualTo("Bearer first");
        assertThat(configuration.namespace()).contains("shop");
    }

    @Test
    void withoutKubeconfigTheOneInTheHomeIsRead() throws Exception {
        Files.createDirectory(folder.resolve(".kube"));
        file(".kube/config", kubeconfig("{token: home}"));
        assertThat(header(KubeConfiguration.kubeconfig(Map.of("HOME", folder.toString()))))
                .isEqualTo("Bearer home");
    }

    @Test
    void missingAndInvalidSettingsAreNamed() throws Exception {
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(folder.resolve("none")))
                .isInstanceOf(KubeConfigurationException.class)
                .hasMessageContaining("none")
                .hasMessageContaining("KUBECONFIG");
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(Map.of())).hasMessageContaining("HOME");
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", "{}"))).hasMessageContaining("current-context");
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", "current-context: x")))
                .hasMessageContaining("no context named 'x'");
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", "a: [")))
                .isInstanceOf(KubeConfigurationException.class);
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", kubeconfig("{client-certificate: none.pem}"))))
                .hasMessageContaining("none.pem");
        assertThatThrownBy(() ->
                        KubeConfiguration.kubeconfig(file("c", kubeconfig("{}").replace("https:", "ftp:"))))
                .hasMessageContaining("ftp:");
    }

    @Test
    void noSecretIsInTheMessageAboutAnInvalidFile() throws Exception {
        String good = kubeconfig("{token: hunter2}");
        String server = "https://127.0.0.1:6443/";
        for (String wrong : List.of(
                good.replace("token: hunter2", "token: *hunter2"),
                good.replace("token: hunter2", "token: !hunter2 x"),
                good.replace("token: hunter2", "token: &hunter2 [,]"),
                good.replace("{token: hunter2}", "token: hunter2: x"),
                good.replace("token: hunter2", "token: \"hunter2\\q\""),
                good.replace("token: hunter2", "token: %hunter2"),
                good.replace("token: hunter2", "token: hunter2, token"),
                good + "- hunter2",
                "hunter2",
                "users: hunter2",
                "{current-context: main, contexts: hunter2}",
                "- hunter2: [",
                good.replace("cluster: local, user", "cluster: {token: hunter2}, user"),
                good.replace("cluster: local, user", "cluster: [hunter2], user"),
                good.replace(server, "https://me:hunter2@127.0.0.1:6443"),
                good.replace(server, "https://hunter2@127.0.0.1:6443"),
                good.replace(server, "https://me:hun ter2@127.0.0.1:6443"),
                good.replace(server, "https://me:hunter2%@127.0.0.1"),
                good.replace(server, "https://me:hunter2@"),
                good.replace(server, "me:hunter2@127.0.0.1:443"),
                good.replace(server, "https://127.0.0.1/?token=hunter2"),
                good.replace("server:", "proxy-url: 'http://me:hunter2@127.0.0.1:3128', server:"),
                good.replace("server:", "proxy-url: 'http://me:hunter2 @127.0.0.1:3128', server:"),
                good.replace("server:", "proxy-url: 'me:hunter2', server:"),
                good.replace("token:", "client-key-data: hunter2, client-certificate-data: hunter2, token:"),
                good.replace("server:", "certificate-authority-data: hunter2, server:"))) {
            Throwable said = catchThrowable(() -> KubeConfiguration.kubeconfig(file("c", wrong)));
            if (said == null) {
                continue;
            }
            StringWriter all = new StringWriter();
            said.printStackTrace(new PrintWriter(all));
            assertThat(all.toString()).as(wrong).doesNotContain("hunter2").doesNotContain("hun ter2");
            assertThat(said)
                    .as(wrong)
                    .isInstanceOf(KubeConfigurationException.class)
                    .hasMessageContaining("kubeconfig");
        }
        assertThatThrownBy(() ->
                        KubeConfiguration.kubeconfig(file("c", good.replace("token: hunter2", "token: *hunter2"))))
                .hasMessageMatching(".* from line \\d+, column \\d+ on;.*");
        assertThatThrownBy(() ->
                        KubeConfiguration.kubeconfig(file("c", good.replace(server, "https://me:hunter2@127.0.0.1"))))
                .hasMessageContaining("server contains a user name or password");
    }

    @Test
    void theErrorOutputOfACredentialProgramIsNotShown() throws Exception {
        Path said = folder.resolve("said");
        Files.setPosixFilePermissions(
                file(
                        "program",
                        "#!/bin/sh\n[ /dev/stderr -ef /dev/null ] && echo thrown away > " + said
                                + "\necho '{\"apiVersion\": \"client.authentication.k8s.io/v1\","
                                + " \"kind\": \"ExecCredential\", \"status\": {\"token\": \"'\"$1\"'\"}}'"),
                PosixFilePermissions.fromString("rwx------"));
        KubeConfiguration configuration = KubeConfiguration.kubeconfig(file(
                "config",
                kubeconfig(
                        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./program, args: [a b, c]}}")));
        assertThat(header(configuration)).isEqualTo("Bearer a b");
        assertThat(said).hasContent("thrown away\n");
    }

    @Test
    void aCredentialThatIsNotAllowedInAHeaderIsNotQuoted() throws Exception {
        Path token = file("token", "hunter2\nhunter3");
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(1);
        try (KubeConnection connection = new KubeConnection(
                KubeConfiguration.kubeconfig(file("config", kubeconfig("{tokenFile: token}"))), executor)) {
            assertThatThrownBy(() -> new KubeAccess(connection).version())
                    .isInstanceOf(KubeException.class)
                    .hasMessageContaining("not a single line")
                    .hasMessageNotContaining("hunter");
        } finally {
            executor.shutdownNow();
        }
        assertThat(token).exists();
    }

    @Test
    void aPodHasATokenAndANamespace() throws Exception {
        assertThatThrownBy(() -> KubeConfiguration.inCluster(Map.of())).hasMessageContaining("KUBERNETES_SERVICE_HOST");
        Map<String, String> pod = Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "443");
        assertThatThrownBy(() -> KubeConfiguration.inCluster(pod, folder))
                .hasMessageContaining("automountServiceAccountToken");
        file("token", "t1");
        file("ca.crt", "no certificate");
        assertThatThrownBy(() -> KubeConfiguration.inCluster(pod, folder))
                .isInstanceOf(KubeConfigurationException.class);
    }
}
