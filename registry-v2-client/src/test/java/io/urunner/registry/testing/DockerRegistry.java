package io.urunner.registry.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import okhttp3.ConnectionPool;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.bouncycastle.crypto.generators.OpenBSDBCrypt;
import org.jspecify.annotations.Nullable;

/**
 * A real registry: CNCF Distribution's {@code docker-registry} as a process on a free loopback port, with a storage
 * folder of its own. Tests close it; that stops the process and deletes the folder. If the program is missing, the
 * calling test is skipped, or fails if the environment variable {@code CI} is {@code true}.
 *
 * <p>Images are pushed with plain HTTP requests, not with the client under test. Thread-safe, except that {@link
 * #stop}, {@link #kill} and {@link #restart} are for one thread.
 */
public final class DockerRegistry implements AutoCloseable {
    private static final Duration START_DEADLINE = Duration.ofSeconds(20);
    private static final Pattern ACCESS = Pattern.compile(
            "\\[([^]]+)] \"([A-Z]+) (\\S+) HTTP/[0-9.]+\" ([0-9]{3}) \\S+ \"(?:[^\"\\\\]|\\\\.)*\" \"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final DateTimeFormatter ACCESS_TIME =
            DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ENGLISH);

    private final Builder settings;
    private final Path program;
    private final Path folder;
    private final Optional<HandshakeCertificates> tls;
    private final OkHttpClient http;
    private int port;
    private @Nullable Process process;

    /**
     * One line of the registry's access log.
     *
     * @param method the request's method
     * @param path the request's path, with its query
     * @param status the status of the answer
     * @param at the time of the request, in whole seconds
     * @param userAgent the client: agents, the simulated nodes of a cluster and the tests have different names
     */
    public record Access(String method, String path, int status, Instant at, String userAgent) {}

    /** The options of a registry; by default a plain one that everybody may use. */
    public static final class Builder {
        private final Map<String, String> users = new LinkedHashMap<>();
        private @Nullable HeldCertificate authority;
        private boolean http2 = true;
        private @Nullable TokenServer tokens;
        private boolean delete;
        private @Nullable URI notifications;
        private Map<String, String> notificationHeaders = Map.of();
        private @Nullable URI upstream;

        private Builder() {}

        /**
         * Requires Basic authentication with an htpasswd file.
         *
         * @param name a user
         * @param password the user's password
         * @return this
         */
        public Builder user(String name, String password) {
            UsedSecrets.add(password);
            UsedSecrets.add(
                    Base64.getEncoder().encodeToString((name + ":" + password).getBytes(StandardCharsets.UTF_8)));
            users.put(name, password);
            return this;
        }

        /**
         * Serves TLS, with a certificate for {@code localhost}, {@code 127.0.0.1} and {@code ::1}.
         *
         * @param certificateAuthority the authority that signs it; {@link #newAuthority()} creates one
         * @return this
         */
        public Builder tls(HeldCertificate certificateAuthority) {
            authority = certificateAuthority;
            return this;
        }

        /**
         * Does not offer HTTP/2 over TLS.
         *
         * @return this
         */
        public Builder withoutHttp2() {
            http2 = false;
            return this;
        }

        /**
         * Requires tokens of this server, as GitLab's registry does.
         *
         * @param server the token server; it is not closed with the registry
         * @return this
         */
        public Builder tokens(TokenServer server) {
            tokens = server;
            return this;
        }

        /**
         * Allows manifests and blobs to be deleted.
         *
         * @return this
         */
        public Builder deleteEnabled() {
            delete = true;
            return this;
        }

        /**
         * Sends its events to this endpoint.
         *
         * @param endpoint the URL
         * @param headers the headers of each envelope, for example {@code Authorization}
         * @return this
         */
        public Builder notifications(URI endpoint, Map<String, String> headers) {
            notifications = endpoint;
            notificationHeaders = Map.copyOf(headers);
            return this;
        }

        /**
         * Makes it a pull-through cache of another registry.
         *
         * @param registry the other registry's URL
         * @return this
         */
        public Builder pullThrough(URI registry) {
            upstream = registry;
            return this;
        }

        /**
         * Starts the registry and waits until it answers.
         *
         * @return the running registry
         */
        public DockerRegistry start() {
            Path program = Program.require("docker-registry", "Debian's package docker-registry");
            try {
                DockerRegistry registry = new DockerRegistry(this, program);
                try {
                    registry.startOnFreePort();
                    return registry;
                } catch (IOException | RuntimeException e) {
                    registry.close();
                    throw e;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private DockerRegistry(Builder settings, Path program) throws IOException {
        this.settings = settings;
        this.program = program;
        folder = Files.createTempDirectory("docker-registry");
        OkHttpClient.Builder client = new OkHttpClient.Builder()
                .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
                .callTimeout(Duration.ofSeconds(20));
        HeldCertificate authority = settings.authority;
        if (authority == null) {
            tls = Optional.empty();
        } else {
            HeldCertificate server = new HeldCertificate.Builder()
                    .commonName("docker-registry")
                    .addSubjectAlternativeName("localhost")
                    .addSubjectAlternativeName("127.0.0.1")
                    .addSubjectAlternativeName("::1")
                    .signedBy(authority)
                    .build();
            Files.writeString(file("server.pem"), server.certificatePem() + authority.certificatePem());
            Files.writeString(file("server.key"), server.privateKeyPkcs8Pem());
            HandshakeCertificates trusted = new HandshakeCertificates.Builder()
                    .addTrustedCertificate(authority.certificate())
                    .build();
            client.sslSocketFactory(trusted.sslSocketFactory(), trusted.trustManager());
            tls = Optional.of(trusted);
        }
        http = client.build();
    }

    /**
     * Starts a plain registry that everybody may use.
     *
     * @return the running registry
     */
    public static DockerRegistry start() {
        return builder().start();
    }

    /**
     * Starts the configuration of a registry.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Creates a certificate authority for a test.
     *
     * @return its certificate and key
     */
    public static HeldCertificate newAuthority() {
        return new HeldCertificate.Builder()
                .commonName("Test authority")
                .certificateAuthority(0)
                .build();
    }

    /**
     * The registry's address.
     *
     * @return {@code 127.0.0.1:<port>}, as in an image reference
     */
    public String host() {
        return "127.0.0.1:" + port;
    }

    /**
     * The registry's port, the same after {@link #restart}.
     *
     * @return the port
     */
    public int port() {
        return port;
    }

    /**
     * The registry's URL.
     *
     * @return the URL, without a slash at its end
     */
    public URI url() {
        return URI.create((tls.isPresent() ? "https://" : "http://") + host());
    }

    /**
     * Returns what a client needs to trust this registry's certificate.
     *
     * @return the trust, or empty without TLS
     */
    public Optional<HandshakeCertificates> trust() {
        return tls;
    }

    /** Stops the registry as an administrator does; {@link #restart} brings it back with its storage. */
    public void stop() {
        end(false);
    }

    /** Kills the registry as a crash does; {@link #restart} brings it back with its storage. */
    public void kill() {
        end(true);
    }

    /** Starts the stopped registry again, on the same port and with the same storage, and waits until it answers. */
    public void restart() {
        stop();
        try {
            launch();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Pushes a small image.
     *
     * @param repository the repository, for example {@code team/app}
     * @param tag the tag
     * @param content what distinguishes this image from others
     * @return the digest of its manifest
     */
    public String push(String repository, String tag, String content) {
        return push(repository, tag, TestImage.image(content));
    }

    /**
     * Pushes an index of small images.
     *
     * @param repository the repository
     * @param tag the tag
     * @param content what distinguishes this image from others
     * @param architectures the architectures, for example {@code amd64}, {@code arm64}
     * @return the digest of the index
     */
    public String pushIndex(String repository, String tag, String content, String... architectures) {
        return push(repository, tag, TestImage.index(content, architectures));
    }

    /**
     * Pushes an image or an index with its children.
     *
     * @param repository the repository
     * @param tag the tag
     * @param image what to push
     * @return the digest of its manifest
     */
    public String push(String repository, String tag, TestImage image) {
        image.children().forEach((digest, child) -> push(repository, digest, child));
        image.blobs().forEach((digest, bytes) -> pushBlob(repository, digest, bytes));
        HttpUrl manifest = endpoint("v2/" + repository + "/manifests/" + tag);
        RequestBody body = RequestBody.create(image.manifest(), MediaType.get(image.mediaType()));
        send(repository, new Request.Builder().url(manifest).put(body), 201);
        return image.digest();
    }

    /**
     * Returns every request that the registry has answered since it was first started, oldest first. The registry
     * writes its log after the answer: a test that counts its latest requests waits a moment, for example with {@link
     * #settledAccesses}.
     *
     * @return the requests
     */
    public List<Access> accesses() {
        List<Access> accesses = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file("access.log"), StandardCharsets.ISO_8859_1)) {
                Matcher matcher = ACCESS.matcher(line);
                if (matcher.find()) {
                    accesses.add(new Access(
                            matcher.group(2),
                            matcher.group(3),
                            Integer.parseInt(matcher.group(4)),
                            Instant.from(ACCESS_TIME.parse(matcher.group(1))),
                            matcher.group(5)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return accesses;
    }

    /**
     * The same, after a request of the registry's own keeper has appeared in the log: everything that was answered
     * before is in the list. That request is not.
     *
     * @return the requests
     */
    public List<Access> settledAccesses() {
        String marker = "/v2/?marker=" + System.nanoTime();
        try (Response response = http.newCall(
                        new Request.Builder().url(endpoint("").resolve(marker)).build())
                .execute()) {
            Objects.requireNonNull(response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (accesses().stream().noneMatch(access -> access.path().equals(marker))) {
            pause(deadline, "the access log does not show a request");
        }
        return accesses().stream()
                .filter(access -> !access.path().startsWith("/v2/?marker="))
                .toList();
    }

    /**
     * How many requests of a kind the registry has answered.
     *
     * @param method the method
     * @param pathPrefix how the path begins
     * @return the number
     */
    public long count(String method, String pathPrefix) {
        return settledAccesses().stream()
                .filter(access ->
                        access.method().equals(method) && access.path().startsWith(pathPrefix))
                .count();
    }

    /** Kills the registry and deletes its storage. */
    @Override
    public void close() {
        end(true);
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return url().toString();
    }

    private void pushBlob(String repository, String digest, byte[] bytes) {
        String location = send(
                repository,
                new Request.Builder()
                        .url(endpoint("v2/" + repository + "/blobs/uploads/"))
                        .post(RequestBody.create(new byte[0])),
                202);
        HttpUrl upload = Objects.requireNonNull(endpoint("").resolve(location));
        RequestBody body = RequestBody.create(bytes, MediaType.get("application/octet-stream"));
        send(
                repository,
                new Request.Builder()
                        .url(upload.newBuilder()
                                .addQueryParameter("digest", digest)
                                .build())
                        .put(body),
                201);
    }

    private String send(String repository, Request.Builder request, int expected) {
        keeper(repository).ifPresent(authorization -> request.header("Authorization", authorization));
        try (Response response = http.newCall(request.build()).execute()) {
            if (response.code() != expected) {
                throw new IllegalStateException(
                        response + ": " + response.body().string());
            }
            return Optional.ofNullable(response.header("Location")).orElse("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The credentials of the registry's owner for pushing. */
    private Optional<String> keeper(String repository) {
        if (settings.tokens != null) {
            return Optional.of("Bearer " + settings.tokens.mint(repository, List.of("pull", "push", "delete")));
        }
        return settings.users.entrySet().stream()
                .findFirst()
                .map(user -> "Basic "
                        + Base64.getEncoder()
                                .encodeToString(
                                        (user.getKey() + ":" + user.getValue()).getBytes(StandardCharsets.UTF_8)));
    }

    private HttpUrl endpoint(String path) {
        return Objects.requireNonNull(HttpUrl.get(url().toString() + "/").resolve(path));
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    private void startOnFreePort() throws IOException {
        for (int attempt = 1; ; attempt++) {
            port = FreePort.find();
            try {
                launch();
                return;
            } catch (IOException e) {
                // Another process took the port in between.
                if (attempt == 3) {
                    throw e;
                }
            }
        }
    }

    private void launch() throws IOException {
        Path config = Files.writeString(file("config.yml"), configuration());
        Process started = new ProcessBuilder(program.toString(), "serve", config.toString())
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(file("access.log").toFile()))
                .redirectError(
                        ProcessBuilder.Redirect.appendTo(file("error.log").toFile()))
                .start();
        process = started;
        // A JVM that exits without closing leaves no process behind.
        Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        while (!answers()) {
            if (!started.isAlive()) {
                throw new IOException("docker-registry ended: " + Files.readString(file("error.log")));
            }
            pause(deadline, "docker-registry does not answer on " + url());
        }
    }

    private boolean answers() {
        try (Response response = http.newCall(
                        new Request.Builder().url(endpoint("")).head().build())
                .execute()) {
            return response.code() < 500;
        } catch (IOException e) {
            return false;
        }
    }

    private void end(boolean hard) {
        Process running = process;
        if (running == null) {
            return;
        }
        process = null;
        if (hard) {
            running.destroyForcibly();
        } else {
            running.destroy();
        }
        try {
            if (!running.waitFor(10, TimeUnit.SECONDS)) {
                running.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            running.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void pause(long deadline, String problem) {
        if (System.nanoTime() - deadline > 0) {
            throw new IllegalStateException(problem);
        }
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting: " + problem, e);
        }
    }

    private String configuration() throws IOException {
        StringBuilder yaml = new StringBuilder(
                        "version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: ")
                .append(quoted(file("storage")))
                .append("}\n  delete: {enabled: ")
                .append(settings.delete)
                .append("}\n  maintenance: {uploadpurging: {enabled: false}}\nhttp:\n  addr: ")
                .append(host())
                .append("\n  secret: test\n");
        if (tls.isPresent()) {
            yaml.append("  tls: {certificate: ")
                    .append(quoted(file("server.pem")))
                    .append(", key: ")
                    .append(quoted(file("server.key")))
                    .append("}\n  http2: {disabled: ")
                    .append(!settings.http2)
                    .append("}\n");
        }
        if (!settings.users.isEmpty()) {
            StringBuilder passwords = new StringBuilder();
            byte[] salt = "urunner-registry".getBytes(StandardCharsets.US_ASCII);
            settings.users.forEach((name, password) -> passwords
                    .append(name)
                    .append(':')
                    .append(OpenBSDBCrypt.generate("2y", password.toCharArray(), salt, 4))
                    .append('\n'));
            Files.writeString(file("htpasswd"), passwords);
            yaml.append("auth:\n  htpasswd: {realm: test, path: ")
                    .append(quoted(file("htpasswd")))
                    .append("}\n");
        }
        TokenServer tokens = settings.tokens;
        if (tokens != null) {
            Files.writeString(file("tokens.pem"), tokens.certificatePem());
            yaml.append("auth:\n  token: {realm: ")
                    .append(quoted(tokens.realm()))
                    .append(", service: ")
                    .append(quoted(TokenServer.SERVICE))
                    .append(", issuer: ")
                    .append(quoted(TokenServer.ISSUER))
                    .append(", rootcertbundle: ")
                    .append(quoted(file("tokens.pem")))
                    .append("}\n");
        }
        if (settings.notifications != null) {
            yaml.append("notifications:\n  endpoints:\n  - name: test\n    url: ")
                    .append(quoted(settings.notifications))
                    .append("\n    timeout: 2s\n    threshold: 3\n    backoff: 1s\n    headers: {");
            settings.notificationHeaders.forEach((name, value) ->
                    yaml.append(name).append(": [").append(quoted(value)).append("], "));
            yaml.append("}\n");
        }
        if (settings.upstream != null) {
            yaml.append("proxy: {remoteurl: ").append(quoted(settings.upstream)).append("}\n");
        }
        return yaml.toString();
    }

    private static String quoted(Object text) {
        return "'" + text.toString().replace("'", "''") + "'";
    }
}
