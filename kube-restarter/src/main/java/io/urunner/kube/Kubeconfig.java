package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads kubeconfig files as kubectl does: of several files the first that has an entry wins, relative paths start at the
 * file that holds them. Tokens, token files, client certificates, user and password, and credential programs
 * ({@code client.authentication.k8s.io}) are known; the {@code auth-provider}s that kubectl gave up are not.
 */
final class Kubeconfig {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PROGRAM_SECONDS = 30;

    private Kubeconfig() {}

    /** An entry of a kubeconfig, with the folder of its file. */
    private record Entry(JsonNode value, Path folder, String where) {
        String text(String field) {
            return value.path(field).asText("");
        }

        /** The content of the field {@code name-data}, or of the file that {@code name} names. */
        byte @Nullable [] bytes(String name) throws KubeConfigurationException {
            String data = text(name + "-data");
            if (!data.isEmpty()) {
                try {
                    return Base64.getDecoder().decode(data);
                } catch (IllegalArgumentException e) {
                    throw new KubeConfigurationException(where + ": " + name + "-data is not base64", e);
                }
            }
            String file = text(name);
            if (file.isEmpty()) {
                return null;
            }
            try {
                return Files.readAllBytes(folder.resolve(file));
            } catch (IOException e) {
                throw new KubeConfigurationException(where + ": cannot read " + name + " " + folder.resolve(file), e);
            }
        }
    }

    static KubeConfiguration read(List<Path> files, Map<String, String> environment) throws KubeConfigurationException {
        List<Entry> documents = new ArrayList<>();
        List<Path> missing = new ArrayList<>();
        for (Path file : files) {
            try {
                documents.add(document(file));
            } catch (NoSuchFileException e) {
                missing.add(file);
            } catch (IOException | YamlEngineException | IllegalArgumentException e) {
                throw new KubeConfigurationException("cannot read the kubeconfig " + file + ": " + e.getMessage(), e);
            }
        }
        if (documents.isEmpty()) {
            throw new KubeConfigurationException(
                    "the kubeconfig " + missing
                            + " does not exist: set KUBECONFIG to the path of one, or use the in-cluster configuration in a pod");
        }
        String current = documents.stream()
                .map(document -> document.text("current-context"))
                .filter(name -> !name.isEmpty())
                .findFirst()
                .orElseThrow(() -> new KubeConfigurationException("the kubeconfig " + files
                        + " has no current-context: set one with 'kubectl config use-context'"));
        Entry context = entry(documents, "context", current);
        Entry cluster = entry(documents, "cluster", context.text("cluster"));
        Entry user = context.text("user").isEmpty()
                ? new Entry(JSON.createObjectNode(), context.folder(), context.where())
                : entry(documents, "user", context.text("user"));
        return configuration(context, cluster, user, environment);
    }

    private static Entry document(Path file) throws IOException {
        Object yaml = new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
        Path folder = file.toAbsolutePath().getParent();
        return new Entry(JSON.valueToTree(yaml), folder == null ? file : folder, file.toString());
    }

    private static Entry entry(List<Entry> documents, String kind, String name) throws KubeConfigurationException {
        for (Entry document : documents) {
            for (JsonNode each : document.value().path(kind + "s")) {
                if (each.path("name").asText().equals(name)) {
                    return new Entry(each.path(kind), document.folder(), document.where() + ": " + kind + " " + name);
                }
            }
        }
        throw new KubeConfigurationException(
                "the kubeconfig " + documents.get(0).where() + " has no " + kind + " named '" + name
                        + "', which its current context refers to");
    }

    private static KubeConfiguration configuration(
            Entry context, Entry cluster, Entry user, Map<String, String> environment)
            throws KubeConfigurationException {
        String server = cluster.text("server");
        if (!server.startsWith("https://") && !server.startsWith("http://")) {
            throw new KubeConfigurationException(cluster.where() + ": server '" + server + "' is no http(s) address");
        }
        if (!cluster.text("tls-server-name").isEmpty()) {
            throw new KubeConfigurationException(cluster.where()
                    + ": tls-server-name is not supported: use a server address that its certificate names");
        }
        byte[] authorities = cluster.bytes("certificate-authority");
        byte[] certificate = user.bytes("client-certificate");
        byte[] key = user.bytes("client-key");
        if ((certificate == null) != (key == null)) {
            throw new KubeConfigurationException(
                    user.where() + ": client-certificate and client-key must be given together");
        }
        String proxy = cluster.text("proxy-url");
        String namespace = context.text("namespace");
        try {
            TrustManager[] trust =
                    cluster.value().path("insecure-skip-tls-verify").asBoolean()
                            ? new TrustManager[] {new TrustEverybody()}
                            : authorities == null ? null : Pem.trust(authorities);
            KeyManager[] identity = certificate == null || key == null ? null : Pem.identity(certificate, key);
            return new KubeConfiguration(
                    URI.create(server.replaceFirst("/+$", "")),
                    namespace.isEmpty() ? Optional.empty() : Optional.of(namespace),
                    KubeConfiguration.tls(trust, identity),
                    proxy.isEmpty() ? null : KubeConfiguration.proxy(URI.create(proxy)),
                    authorization(user, environment));
        } catch (GeneralSecurityException | IOException e) {
            throw new KubeConfigurationException(
                    "cannot use the certificates of " + cluster.where() + " and " + user.where() + ": "
                            + e.getMessage(),
                    e);
        } catch (IllegalArgumentException e) {
            throw new KubeConfigurationException(cluster.where() + ": " + e.getMessage(), e);
        }
    }

    private static KubeConfiguration.Authorization authorization(Entry user, Map<String, String> environment)
            throws KubeConfigurationException {
        String token = user.text("token");
        String tokenFile = user.text("tokenFile");
        String name = user.text("username");
        JsonNode program = user.value().path("exec");
        if (!tokenFile.isEmpty()) {
            Path file = user.folder().resolve(tokenFile);
            return () -> Optional.of("Bearer " + Files.readString(file).strip());
        }
        if (!token.isEmpty()) {
            return () -> Optional.of("Bearer " + token);
        }
        if (!name.isEmpty()) {
            String basic = Base64.getEncoder()
                    .encodeToString((name + ":" + user.text("password")).getBytes(StandardCharsets.UTF_8));
            return () -> Optional.of("Basic " + basic);
        }
        if (program.isObject()) {
            return () -> Optional.of("Bearer " + run(user, program, environment));
        }
        if (user.value().has("auth-provider")) {
            throw new KubeConfigurationException(
                    user.where()
                            + ": auth-provider is not supported: use a credential program ('exec'), as kubectl does since 1.26");
        }
        return Optional::empty;
    }

    /** Runs a credential program, see {@code client.authentication.k8s.io/v1}. */
    private static String run(Entry user, JsonNode program, Map<String, String> environment) throws IOException {
        List<String> command = new ArrayList<>();
        String executable = program.path("command").asText();
        command.add(executable.contains("/") ? user.folder().resolve(executable).toString() : executable);
        program.path("args").forEach(argument -> command.add(argument.asText()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(environment);
        program.path("env")
                .forEach(each -> builder.environment()
                        .put(each.path("name").asText(), each.path("value").asText()));
        builder.environment()
                .put(
                        "KUBERNETES_EXEC_INFO",
                        JSON.createObjectNode()
                                .put("apiVersion", program.path("apiVersion").asText())
                                .put("kind", "ExecCredential")
                                .set("spec", JSON.createObjectNode().put("interactive", false))
                                .toString());
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            byte[] output = process.getInputStream().readAllBytes();
            if (!process.waitFor(PROGRAM_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("the credential program " + executable + " of " + user.where() + " failed");
            }
            String token = JSON.readTree(output).path("status").path("token").asText("");
            if (token.isEmpty()) {
                throw new IOException("the credential program " + executable + " of " + user.where()
                        + " gave no token (client certificates from programs are not supported)");
            }
            return token;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the credential program " + executable + " ran", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /** For {@code insecure-skip-tls-verify}. The extended form keeps the JDK from verifying the host name on top. */
    private static final class TrustEverybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
