package io.urunner.registry.dockerconfig;

import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Credentials from one file in the format of Docker's {@code config.json} or Podman's {@code auth.json}: {@code auths},
 * {@code credHelpers} and {@code credsStore}, with {@code identitytoken} and {@code registrytoken}. A file named {@code
 * .dockercfg} contains only the entries of {@code auths}, as Docker wrote it before version 1.7.
 *
 * <p>The helper of a registry overrides the common store, and both override {@code auths}; if a helper has nothing,
 * {@code auths} is used. Of several keys that are for a repository, the best one counts, wherever it is in the file: the
 * longest that names a part of the registry ({@code reg.example/team}, at a segment boundary); then the exact name
 * ({@code reg.example}, and for Docker Hub {@code https://index.docker.io/v1/}, which Docker writes); then the host in
 * another spelling; then its URLs ({@code https://reg.example/v2/}); then URLs with any path, the longest first ({@code
 * https://reg.example/artifactory/api/docker/repo}).
 *
 * <p>An entry that cannot be read is an error for the repositories that it is for; the others are read all the same. The
 * file is read again when it changes, and a helper's answer is kept for some minutes. A missing file counts as empty,
 * and so does a folder.
 * Thread-safe; a hanging helper delays only requests for its own server. {@link Keychain#docker} reads the files that
 * Docker and Podman have.
 */
public final class DockerConfigFile implements CredentialProvider {
    private static final int MAX_SIZE = 4 * 1024 * 1024;
    private static final Duration HELPER_ANSWER_LIFE = Duration.ofMinutes(5);
    private static final String LEGACY_NAME = ".dockercfg";
    private static final byte[] EMPTY = "{}".getBytes(StandardCharsets.UTF_8);

    /** The file, or null if the configuration is somewhere else. */
    private final @Nullable Path file;

    /** The configuration if it is in no file. */
    private final String inline;

    private final String description;
    private final CredentialHelpers helpers;
    private final InstantSource clock;
    private final Map<String, HelperAnswer> answers = new ConcurrentHashMap<>();

    /** The configuration, and the state of its file when it was read, which is null for no file. */
    private @Nullable ConfigJson loaded;

    private @Nullable String stamp;

    /** A helper's answer for one server. Its lock is held while the helper runs. */
    private static final class HelperAnswer {
        private Optional<Credential> credential = Optional.empty();
        private Instant until = Instant.MIN;
    }

    /**
     * Creates a provider. It does no I/O until it is first used.
     *
     * @param file the file, see {@link #locate}
     * @param helpers runs the helpers that the file names
     * @param clock the time
     */
    public DockerConfigFile(Path file, CredentialHelpers helpers, InstantSource clock) {
        this(file, "", file.toString(), helpers, clock);
    }

    private DockerConfigFile(
            @Nullable Path file, String inline, String place, CredentialHelpers helpers, InstantSource clock) {
        this.file = file;
        this.inline = inline;
        this.description = "Docker configuration " + place;
        this.helpers = helpers;
        this.clock = clock;
    }

    /** A provider for a configuration that is the value of an environment variable. */
    static DockerConfigFile inVariable(String variable, String json, CredentialHelpers helpers, InstantSource clock) {
        return new DockerConfigFile(null, json, "in " + variable, helpers, clock);
    }

    /**
     * Returns where Docker keeps its configuration: in the directory that {@code DOCKER_CONFIG} names, otherwise in
     * {@code .docker} of the home directory.
     *
     * @param environment the environment variables
     * @param home the home directory
     * @return the path of {@code config.json}, whether it exists or not
     */
    public static Path locate(Map<String, String> environment, Path home) {
        String directory = environment.getOrDefault("DOCKER_CONFIG", "");
        return (directory.isEmpty() ? home.resolve(".docker") : Path.of(directory)).resolve("config.json");
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        ConfigJson config = load();
        try {
            String program = helper(config, registry, repository);
            if (!program.isEmpty()) {
                Optional<Credential> asked = ask(program, DockerConfigKey.server(registry));
                if (asked.isPresent()) {
                    return List.of(asked.get());
                }
            }
            Optional<Entry> entry = DockerConfigKey.best(config.auths, registry, repository);
            Optional<Credential> credential =
                    entry.isEmpty() ? Optional.empty() : entry.get().docker();
            return credential.isEmpty() ? List.of() : List.of(credential.get());
        } catch (IllegalArgumentException e) {
            throw new CredentialException(
                    "the entry for " + registry + " in the " + this + " cannot be read: " + e.getMessage(), false);
        }
    }

    private static String helper(ConfigJson config, String registry, String repository) {
        Optional<Optional<String>> own = DockerConfigKey.best(config.credHelpers, registry, repository);
        if (own.isEmpty()) {
            return config.credsStore;
        } else if (own.get().isEmpty()) {
            throw new IllegalArgumentException("the name of its credential helper is not a string");
        }
        return own.get().get();
    }

    private Optional<Credential> ask(String program, String server) throws CredentialException {
        HelperAnswer answer = answers.computeIfAbsent(program + " " + server, key -> new HelperAnswer());
        synchronized (answer) {
            Instant now = clock.instant();
            if (!now.isBefore(answer.until)) {
                answer.credential = helpers.get(program, server);
                answer.until = now.plus(HELPER_ANSWER_LIFE);
            }
            return answer.credential;
        }
    }

    @Override
    public void refused(String registry, Credential refused) {
        for (HelperAnswer answer : answers.values()) {
            synchronized (answer) {
                if (answer.credential.equals(Optional.of(refused))) {
                    answer.until = Instant.MIN;
                }
            }
        }
    }

    private synchronized ConfigJson load() throws CredentialException {
        try {
            String now = stampOfFile();
            ConfigJson before = loaded;
            if (before != null && Objects.equals(stamp, now)) {
                return before;
            }
            byte[] content = now == null ? EMPTY : read();
            byte[] json = content.length == 0 ? EMPTY : content;
            ConfigJson config =
                    file != null && file.endsWith(LEGACY_NAME) ? ConfigJson.legacy(json) : ConfigJson.config(json);
            loaded = config;
            stamp = now;
            answers.clear();
            return config;
        } catch (IOException e) {
            throw new CredentialException("the " + this + " cannot be read: " + e, true, e);
        } catch (IllegalArgumentException e) {
            throw new CredentialException("the " + this + " cannot be read: " + e.getMessage(), true);
        }
    }

    /** Changes when the file does; null if there is none. */
    private @Nullable String stampOfFile() throws IOException {
        if (file == null) {
            return "";
        }
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.isDirectory()
                    ? null // an optional Secret of Kubernetes that does not exist is mounted as a folder
                    : attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private byte[] read() throws IOException {
        if (file == null) {
            return inline.getBytes(StandardCharsets.UTF_8);
        }
        // A device or a growing file has more than its attributes say.
        try (InputStream in = Files.newInputStream(file)) {
            byte[] json = in.readNBytes(MAX_SIZE + 1);
            if (json.length > MAX_SIZE) {
                throw new IllegalArgumentException("it is larger than " + MAX_SIZE + " bytes");
            }
            return json;
        }
    }

    @Override
    public String describe(String registry, String repository) {
        return description;
    }

    @Override
    public String toString() {
        return description;
    }
}
