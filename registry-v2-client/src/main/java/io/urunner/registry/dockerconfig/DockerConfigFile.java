package io.urunner.registry.dockerconfig;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Credentials from Docker's {@code config.json}: {@code auths}, {@code credHelpers} and {@code credsStore}, with {@code
 * identitytoken} and {@code registrytoken}. The helper of a registry overrides the common store, and both override
 * {@code auths}; if a helper has nothing, {@code auths} is used. A key may name a part of a registry ({@code
 * reg.example/team}); the longest one that matches at a segment boundary counts.
 *
 * <p>The file is read again when it changes, and a helper's answer is kept for some minutes. A missing file counts as
 * empty. Thread-safe; a hanging helper delays only requests for its own server.
 */
public final class DockerConfigFile implements CredentialProvider {
    private static final int MAX_SIZE = 4 * 1024 * 1024;
    private static final Duration HELPER_ANSWER_LIFE = Duration.ofMinutes(5);
    private static final String DOCKER_HUB = "docker.io";
    private static final String DOCKER_HUB_SERVER = "https://index.docker.io/v1/";
    private static final List<String> DOCKER_HUB_NAMES = List.of("index.docker.io", "registry-1.docker.io", DOCKER_HUB);

    private final Path file;
    private final CredentialHelpers helpers;
    private final InstantSource clock;
    private final Map<String, HelperAnswer> answers = new ConcurrentHashMap<>();
    private @Nullable Loaded loaded;

    /** The configuration, and the state of its file when it was read; null for none. */
    private record Loaded(@Nullable String stamp, JsonNode auths, JsonNode credHelpers, String credsStore) {}

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
        this.file = file;
        this.helpers = helpers;
        this.clock = clock;
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
        Loaded config = load();
        List<String> names = names(registry, repository);
        Optional<String> helper = value(config.credHelpers, names).map(JsonNode::asText);
        String program = helper.orElse(config.credsStore);
        if (!program.isEmpty()) {
            Optional<Credential> credential = ask(program, server(registry));
            if (credential.isPresent()) {
                return List.of(credential.get());
            }
        }
        try {
            Optional<JsonNode> entry = value(config.auths, names);
            return entry.isPresent() ? ConfigJson.docker(entry.get()).stream().toList() : List.of();
        } catch (IllegalArgumentException e) {
            throw new CredentialException(
                    "the entry for " + registry + " in " + file + " cannot be read: " + e.getMessage(), false);
        }
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
        answers.values().forEach(answer -> {
            synchronized (answer) {
                if (answer.credential.equals(Optional.of(refused))) {
                    answer.until = Instant.MIN;
                }
            }
        });
    }

    private static String server(String registry) {
        String host = host(registry);
        return host.equals(DOCKER_HUB) ? DOCKER_HUB_SERVER : host;
    }

    /** The canonical name of a host: in lower case, and one name for Docker Hub. */
    private static String host(String name) {
        String host = name.toLowerCase(Locale.ROOT);
        return DOCKER_HUB_NAMES.contains(host) ? DOCKER_HUB : host;
    }

    /** The keys that match a repository, in the form of {@link #normal}, the most specific first. */
    private static List<String> names(String registry, String repository) {
        String host = host(registry);
        var names = new ArrayList<String>();
        for (int end = repository.length(); end > 0; end = repository.lastIndexOf('/', end - 1)) {
            names.add(host + "/" + repository.substring(0, end));
        }
        names.add(host);
        return names;
    }

    private static Optional<JsonNode> value(JsonNode object, List<String> names) {
        int best = names.size();
        Optional<JsonNode> value = Optional.empty();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            int at = names.indexOf(normal(entry.getKey()));
            // Of two spellings of the same name, the one that Docker itself writes wins.
            if (at >= 0 && (at < best || (at == best && entry.getKey().equals(DOCKER_HUB_SERVER)))) {
                best = at;
                value = Optional.of(entry.getValue());
            }
        }
        return value;
    }

    /** A key without scheme, trailing slashes and the root of the API, with the canonical name of its host. */
    private static String normal(String key) {
        int scheme = key.indexOf("://");
        String rest = scheme < 0 ? key : key.substring(scheme + 3);
        int end = rest.length();
        while (end > 0 && rest.charAt(end - 1) == '/') {
            end--;
        }
        rest = rest.substring(0, end);
        if (rest.endsWith("/v1") || rest.endsWith("/v2")) {
            rest = rest.substring(0, rest.length() - 3);
        }
        int slash = rest.indexOf('/');
        return slash < 0 ? host(rest) : host(rest.substring(0, slash)) + rest.substring(slash);
    }

    private synchronized Loaded load() throws CredentialException {
        @Nullable String stamp = stamp();
        @Nullable Loaded before = loaded;
        if (before != null && Objects.equals(before.stamp, stamp)) {
            return before;
        }
        try {
            byte[] content = stamp == null ? "{}".getBytes(StandardCharsets.UTF_8) : Files.readAllBytes(file);
            JsonNode root = ConfigJson.object(content);
            var now = new Loaded(
                    stamp,
                    ConfigJson.object(root, "auths"),
                    ConfigJson.object(root, "credHelpers"),
                    root.path("credsStore").asText(""));
            loaded = now;
            answers.clear();
            return now;
        } catch (IOException e) {
            throw new CredentialException("the Docker configuration " + file + " cannot be read: " + e, true, e);
        } catch (IllegalArgumentException e) {
            throw new CredentialException(
                    "the Docker configuration " + file + " cannot be read: " + e.getMessage(), true);
        }
    }

    private @Nullable String stamp() throws CredentialException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (attributes.size() > MAX_SIZE) {
                throw new CredentialException(
                        "the Docker configuration " + file + " is larger than " + MAX_SIZE + " bytes", true);
            }
            return attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey();
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            throw new CredentialException("the Docker configuration " + file + " cannot be read: " + e, true, e);
        }
    }

    @Override
    public String describe(String registry, String repository) {
        return "Docker configuration " + file;
    }

    @Override
    public String toString() {
        return describe("", "");
    }
}
