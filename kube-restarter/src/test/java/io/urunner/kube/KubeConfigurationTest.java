package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubeConfigurationTest {
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
    void theCurrentContextSaysWhereAndWho() throws Exception {
        KubeConfiguration configuration = KubeConfiguration.kubeconfig(file("config", kubeconfig("{token: abc}")));
        assertThat(configuration.server()).hasToString("https://127.0.0.1:6443");
        assertThat(configuration.namespace()).contains("shop");
        assertThat(header(configuration)).isEqualTo("Bearer abc");
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
        KubeConfiguration configuration = KubeConfiguration.kubeconfig(file("config", kubeconfig("""
                        {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, env: [{name: T, value: tok}],
                            args: ["-c", "echo '{\\"status\\": {\\"token\\": \\"'$T'\\"}}'"]}}""")));
        assertThat(header(configuration)).isEqualTo("Bearer tok");
        KubeConfiguration failing = KubeConfiguration.kubeconfig(
                file("config", kubeconfig("{exec: {command: sh, args: ['-c', 'exit 3']}}")));
        assertThatThrownBy(() -> header(failing)).hasMessageContaining("credential program sh");
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
    void whatIsMissingOrWrongIsNamed() throws Exception {
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
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", kubeconfig("{auth-provider: {name: gcp}}"))))
                .hasMessageContaining("auth-provider");
        assertThatThrownBy(() -> KubeConfiguration.kubeconfig(file("c", kubeconfig("{client-certificate: none.pem}"))))
                .hasMessageContaining("none.pem");
        assertThatThrownBy(() ->
                        KubeConfiguration.kubeconfig(file("c", kubeconfig("{}").replace("https:", "ftp:"))))
                .hasMessageContaining("ftp:");
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

    @Test
    void privateKeysOfEveryFormAreRead() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(2048);
        byte[] pkcs8 = rsa.generateKeyPair().getPrivate().getEncoded();
        assertThat(Pem.privateKey(pem("PRIVATE KEY", pkcs8)).getEncoded()).isEqualTo(pkcs8);
        // The envelope of PKCS#8 around an RSA key of this size is 26 bytes long.
        byte[] pkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length);
        assertThat(Pem.privateKey(pem("RSA PRIVATE KEY", pkcs1)).getEncoded()).isEqualTo(pkcs8);

        KeyPairGenerator ec = KeyPairGenerator.getInstance("EC");
        ec.initialize(new ECGenParameterSpec("secp256r1"));
        ECPrivateKey key = (ECPrivateKey) ec.generateKeyPair().getPrivate();
        assertThat(Pem.privateKey(pem("PRIVATE KEY", key.getEncoded())).getAlgorithm())
                .isEqualTo("EC");
        assertThat(((ECPrivateKey) Pem.privateKey(pem("EC PRIVATE KEY", sec1(key)))).getS())
                .isEqualTo(key.getS());

        assertThatThrownBy(() -> Pem.privateKey("nothing".getBytes())).hasMessageContaining("private key");
    }

    /** RFC 5915 by hand: version 1, the key, its curve. */
    private static byte[] sec1(ECPrivateKey key) {
        byte[] s = key.getS().toByteArray();
        byte[] fixed = new byte[32];
        int length = Math.min(s.length, 32);
        System.arraycopy(s, s.length - length, fixed, 32 - length, length);
        ByteArrayOutputStream der = new ByteArrayOutputStream();
        der.writeBytes(new byte[] {0x30, 3 + 34 + 12, 0x02, 0x01, 0x01, 0x04, 0x20});
        der.writeBytes(fixed);
        der.writeBytes(
                new byte[] {(byte) 0xa0, 0x0a, 0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x03, 0x01, 0x07
                });
        return der.toByteArray();
    }

    private static byte[] pem(String type, byte[] der) {
        return ("-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + type
                        + "-----\n")
                .getBytes();
    }
}
