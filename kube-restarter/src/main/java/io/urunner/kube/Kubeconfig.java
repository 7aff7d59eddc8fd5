package io.urunner.kube;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.util.ClientBuilder;
import io.kubernetes.client.util.KubeConfig;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * Reads kubeconfig files with client-java, which supports every way of authenticating that they can name. The result, that
 * is the address of the API server, the authorities to trust and the credential, is used by our own connection.
 *
 * <p>If several files have an entry, the first one wins; relative paths start at the file with the current context.
 */
final class Kubeconfig {
    private static final Duration PROGRAMS_RUN_AGAIN_AFTER = Duration.ofMinutes(5);
    private static final Duration PROGRAMS_END_WITHIN = Duration.ofSeconds(20);
    private static final Path SHELL = Path.of("/bin/sh");
    private static final int LARGEST = 4 * 1024 * 1024;

    private Kubeconfig() {}

    private record Document(Path file, KubeConfig config) {}

    static KubeConfiguration read(List<Path> files) throws KubeConfigurationException {
        List<Document> documents = new ArrayList<>();
        for (Path file : files) {
            if (Files.notExists(file)) {
                continue;
            }
            documents.add(new Document(file, load(file)));
        }
        if (documents.isEmpty()) {
            throw new KubeConfigurationException(
                    "the kubeconfig " + files
                            + " does not exist: set KUBECONFIG to the path of one, or use the in-cluster configuration in a pod");
        }
        Document current = documents.stream()
                .filter(document -> document.config().getCurrentContext() != null)
                .findFirst()
                .orElseThrow(() -> new KubeConfigurationException("the kubeconfig " + files
                        + " has no current-context: set one with 'kubectl config use-context'"));
        KubeConfig merged = merge(documents);
        String context = current.config().getCurrentContext();
        Map<?, ?> chosen = entry(merged.getContexts(), "context", context, files);
        Map<?, ?> cluster = entry(
                merged.getClusters(), "cluster", chosen.get("cluster") instanceof String named ? named : "", files);
        Map<?, ?> user =
                chosen.get("user") instanceof String name ? entry(merged.getUsers(), "user", name, files) : Map.of();
        if (merged.getTlsServerName() != null || cluster.get("tls-server-name") != null) {
            throw new KubeConfigurationException("the kubeconfig " + files
                    + ": tls-server-name is not supported: use a server address that its certificate names");
        }
        Path file = current.file().toAbsolutePath();
        merged.setFile(file.toFile());
        merged.setContext(context);
        URI server = address(cluster.get("server") instanceof String given ? given : "", "server", files);
        ProxySelector proxy = cluster.get("proxy-url") instanceof String url && !url.isBlank()
                ? KubeConfiguration.proxy(address(url, "proxy-url", files))
                : null;
        quiet(user, file);
        try {
            ApiClient client =
                    ClientBuilder.kubeconfig(merged, PROGRAMS_RUN_AGAIN_AFTER).build();
            return new KubeConfiguration(
                    URI.create(server.toString().replaceFirst("/+$", "")),
                    Optional.ofNullable(merged.getNamespace()),
                    tls(client),
                    proxy,
                    user.get("tokenFile") instanceof String tokenFile
                            ? tokenFile(current.file().resolveSibling(tokenFile))
                            : authorization(client),
                    name(client)
                            .or(() -> Optional.ofNullable(
                                    user.get("username") instanceof String given
                                            ? given
                                            : chosen.get("user") instanceof String entry ? entry : null)));
        } catch (FileSystemException | FileNotFoundException e) {
            throw new KubeConfigurationException("cannot use the kubeconfig " + files + ": " + e, e);
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            // Their messages may quote keys.
            throw new KubeConfigurationException("cannot use the kubeconfig " + files
                    + ": its certificates, its keys or the user's credential cannot be read ("
                    + e.getClass().getSimpleName()
                    + ")");
        }
    }

    /** Does not use the parser's message for a text that is not YAML: it quotes lines, and with them secrets. */
    private static KubeConfig load(Path file) throws KubeConfigurationException {
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LARGEST + 1);
            if (bytes.length > LARGEST) {
                throw new KubeConfigurationException(
                        "cannot read the kubeconfig " + file + ": it is longer than " + LARGEST + " bytes");
            }
            text = new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new KubeConfigurationException("cannot read the kubeconfig " + file + ": " + e, e);
        }
        String where = "";
        try {
            return KubeConfig.loadKubeConfig(new StringReader(text));
        } catch (MarkedYAMLException e) {
            where = e.getProblemMark() == null
                    ? ""
                    : " from line " + (e.getProblemMark().getLine() + 1) + ", column "
                            + (e.getProblemMark().getColumn() + 1) + " on";
        } catch (RuntimeException e) {
            // Not structured like a kubeconfig.
        }
        throw new KubeConfigurationException("cannot read the kubeconfig " + file + ": it is not a kubeconfig in YAML"
                + where + "; 'kubectl config view' shows more");
    }

    /** Reads an address; refuses one that contains a secret. */
    private static URI address(String text, String field, List<Path> files) throws KubeConfigurationException {
        String where = "the kubeconfig " + files + ": " + field;
        URI uri;
        try {
            uri = new URI(text.strip());
        } catch (URISyntaxException e) {
            throw new KubeConfigurationException(
                    where + " is not an address: it cannot be parsed near character " + (e.getIndex() + 1));
        }
        if (uri.getRawAuthority() != null && uri.getRawAuthority().contains("@")) {
            throw new KubeConfigurationException(where
                    + " contains a user name or password, which is not supported: remove everything before the @"
                    + (field.equals("server") ? ", and set username and password of the user instead" : ""));
        }
        if (!"https".equals(uri.getScheme()) && !"http".equals(uri.getScheme())) {
            throw new KubeConfigurationException(where + " is not an http(s) address"
                    + (uri.getScheme() == null ? "" : ", but " + uri.getScheme() + ":"));
        }
        if (uri.getHost() == null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new KubeConfigurationException(
                    where + " is not an address such as https://kubernetes.example.com:6443");
        }
        return uri;
    }

    /** Discards the error output of a credential program, which may show secrets and would end up in our log. */
    @SuppressWarnings("unchecked")
    private static void quiet(Map<?, ?> user, Path file) {
        if (user.get("exec") instanceof Map<?, ?> exec
                && exec.get("command") instanceof String command
                && Files.isExecutable(SHELL)) {
            List<Object> arguments = new ArrayList<>(List.of(
                    "-c",
                    "exec \"$0\" \"$@\" 2>/dev/null",
                    command.contains("/")
                            ? file.resolveSibling(command).normalize().toString()
                            : command));
            if (exec.get("args") instanceof List<?> more) {
                arguments.addAll(more);
            }
            Map<Object, Object> changed = new HashMap<>(exec);
            changed.put("command", SHELL.toString());
            changed.put("args", arguments);
            ((Map<Object, Object>) user).put("exec", changed);
        }
    }

    private static KubeConfig merge(List<Document> documents) {
        ArrayList<Object> contexts = new ArrayList<>();
        ArrayList<Object> clusters = new ArrayList<>();
        ArrayList<Object> users = new ArrayList<>();
        for (Document document : documents) {
            add(contexts, document.config().getContexts());
            add(clusters, document.config().getClusters());
            add(users, document.config().getUsers());
        }
        return new KubeConfig(contexts, clusters, users);
    }

    private static void add(List<Object> all, @Nullable List<Object> some) {
        if (some != null) {
            all.addAll(some);
        }
    }

    private static Map<?, ?> entry(List<Object> entries, String kind, String name, List<Path> files)
            throws KubeConfigurationException {
        for (Object entry : entries) {
            if (entry instanceof Map<?, ?> named
                    && name.equals(named.get("name"))
                    && named.get(kind) instanceof Map<?, ?> value) {
                return value;
            }
        }
        throw new KubeConfigurationException("the kubeconfig " + files + " has no " + kind + " named '" + name
                + "', which its current context refers to");
    }

    private static SSLContext tls(ApiClient client) throws GeneralSecurityException {
        X509TrustManager trust =
                client.isVerifyingSsl() ? client.getHttpClient().x509TrustManager() : new TrustEverybody();
        return KubeConfiguration.tls(trust == null ? null : new TrustManager[] {trust}, client.getKeyManagers());
    }

    /** The user that the client certificate names: for the API server that is its common name. */
    private static Optional<String> name(ApiClient client) {
        if (client.getKeyManagers() == null) {
            return Optional.empty();
        }
        for (KeyManager each : client.getKeyManagers()) {
            if (each instanceof X509KeyManager keys) {
                String[] aliases = keys.getClientAliases("RSA", null);
                for (String type : List.of("RSA", "EC", "Ed25519", "EdDSA")) {
                    aliases = aliases == null ? keys.getClientAliases(type, null) : aliases;
                }
                if (aliases != null && keys.getCertificateChain(aliases[0]) != null) {
                    return commonName(keys.getCertificateChain(aliases[0])[0]);
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<String> commonName(X509Certificate certificate) {
        try {
            return new LdapName(certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(part -> part.getType().equalsIgnoreCase("CN"))
                            .map(part -> String.valueOf(part.getValue()))
                            .findFirst();
        } catch (InvalidNameException e) {
            return Optional.empty();
        }
    }

    /** client-java does not know this field. */
    private static KubeConfiguration.Authorization tokenFile(Path file) {
        return () -> Optional.of("Bearer " + Files.readString(file).strip());
    }

    /** Has the client build a request, and takes the header from it instead of sending it. */
    private static KubeConfiguration.Authorization authorization(ApiClient client) {
        OkHttpClient caught = client.getHttpClient()
                .newBuilder()
                .addInterceptor(chain -> new Response.Builder()
                        .request(chain.request())
                        .protocol(Protocol.HTTP_1_1)
                        .code(200)
                        .message("")
                        .body(ResponseBody.create(new byte[0], null))
                        .build())
                .build();
        client.setHttpClient(caught);
        KubeConfiguration.Authorization patient = () -> {
            try (Response answer = client.buildCall(
                            client.getBasePath(),
                            "/version",
                            "GET",
                            List.of(),
                            List.of(),
                            null,
                            new HashMap<>(),
                            new HashMap<>(),
                            new HashMap<>(),
                            new String[] {"BearerToken"},
                            null)
                    .execute()) {
                return Optional.ofNullable(answer.request().header("Authorization"));
            } catch (ApiException | RuntimeException e) {
                // When a credential program fails, this may throw anything, and quote its output.
                throw new IOException("cannot get the kubeconfig's credential ("
                        + e.getClass().getSimpleName() + "); run its credential program by hand to see why");
            }
        };
        return new ImpatientAuthorization(patient, PROGRAMS_END_WITHIN);
    }

    /** For {@code insecure-skip-tls-verify}. The extended form keeps the JDK from verifying the host name as well. */
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
