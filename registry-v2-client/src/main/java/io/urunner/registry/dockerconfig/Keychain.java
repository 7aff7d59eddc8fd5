package io.urunner.registry.dockerconfig;

import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Credentials that exist already: those of Docker and Podman on this machine, pull secrets of Kubernetes, or several
 * providers one after the other. For {@code RegistryClient.builder().credentials(…)}.
 *
 * <pre>{@code
 * CredentialProvider mine = Keychain.docker(System.getenv(), InstantSource.system(), executor);
 * CredentialProvider both = Keychain.chain(Keychain.kubernetes(secrets), mine);
 * }</pre>
 *
 * <p>Of several providers the first counts that has a credential for the repository; one that has nothing, or only
 * anonymous access, is passed over. One that fails ends the search with its error: the next one might be another
 * identity, with other rights. Thread-safe. Closing a keychain closes its providers.
 */
public final class Keychain implements CredentialProvider {
    private static final Duration HELPER_DEADLINE = Duration.ofSeconds(10);

    /** Belongs to the user, on Linux. */
    static final Path PROCESS = Path.of("/proc/self");

    /** Where Podman has a folder for each user, named by the number. */
    static final Path USERS = Path.of("/run/containers");

    private final Supplier<List<CredentialProvider>> search;
    private @Nullable List<CredentialProvider> found;

    private Keychain(Supplier<List<CredentialProvider>> search) {
        this.search = search;
    }

    private Keychain(List<CredentialProvider> providers) {
        this(() -> providers);
        found = providers;
    }

    private synchronized List<CredentialProvider> providers() {
        List<CredentialProvider> providers = found;
        if (providers == null) {
            providers = search.get();
            found = providers;
        }
        return providers;
    }

    /**
     * Returns the credentials that {@code docker login} and {@code podman login} left on this machine. They are looked
     * for in this order, and the first that has one for the repository counts:
     *
     * <ol>
     *   <li>{@code DOCKER_AUTH_CONFIG}, which contains JSON as in the files, as Docker and GitLab's runner read it;
     *   <li>the file that {@code REGISTRY_AUTH_FILE} names; if it is set, no other file is read, as in Podman;
     *   <li>{@code $XDG_RUNTIME_DIR/containers/auth.json} or, without the variable, {@code
     *       /run/containers/UID/auth.json}, where the user's number is the owner of {@code /proc/self}: on Linux only;
     *   <li>{@code $XDG_CONFIG_HOME/containers/auth.json}, by default {@code ~/.config/containers/auth.json};
     *   <li>{@code $DOCKER_CONFIG/config.json}, by default {@code ~/.docker/config.json};
     *   <li>{@code ~/.dockercfg}.
     * </ol>
     *
     * The order of the files is Podman's; Docker reads only the fifth, and go-containerregistry reads that one before
     * the others. Which files are searched is determined when the keychain is first used, and what is in them whenever it is
     * needed: a file that changes is read again.
     *
     * <p>Nothing is read from the environment but what is passed: {@code HOME} (on Windows {@code USERPROFILE}), {@code
     * PATH} to find credential helpers, and the variables above. Without a home directory its files are left out.
     *
     * @param environment the environment variables, for example {@code System.getenv()}
     * @param clock the time
     * @param readers runs a task while a credential helper prints, for at most 10 seconds; see {@link
     *     CredentialHelpers}
     * @return the credentials; nothing to close
     */
    public static Keychain docker(Map<String, String> environment, InstantSource clock, Executor readers) {
        List<Path> path = CredentialHelpers.searchPath(environment.getOrDefault("PATH", ""));
        return docker(environment, clock, new CredentialHelpers(path, HELPER_DEADLINE, readers));
    }

    /**
     * Returns the credentials of {@link #docker(Map, InstantSource, Executor)}, with credential helpers that are looked
     * for elsewhere, or have another deadline.
     *
     * @param environment the environment variables
     * @param clock the time
     * @param helpers runs the helpers that the files name
     * @return the credentials; nothing to close
     */
    public static Keychain docker(Map<String, String> environment, InstantSource clock, CredentialHelpers helpers) {
        return docker(environment, clock, helpers, PROCESS, USERS);
    }

    static Keychain docker(
            Map<String, String> environment, InstantSource clock, CredentialHelpers helpers, Path process, Path users) {
        Map<String, String> now = Map.copyOf(environment);
        return new Keychain(() -> {
            List<CredentialProvider> providers = new ArrayList<>();
            String inline = now.getOrDefault("DOCKER_AUTH_CONFIG", "");
            if (!inline.isBlank()) {
                providers.add(DockerConfigFile.inVariable("DOCKER_AUTH_CONFIG", inline, helpers, clock));
            }
            for (Path file : files(now, process, users)) {
                providers.add(new DockerConfigFile(file, helpers, clock));
            }
            return providers;
        });
    }

    /**
     * The files in the order in which they are searched, whether they exist or not.
     *
     * @param process belongs to the user
     * @param users has a folder for each user, named by the number
     */
    static List<Path> files(Map<String, String> environment, Path process, Path users) {
        String only = environment.getOrDefault("REGISTRY_AUTH_FILE", "");
        if (!only.isEmpty()) {
            return List.of(Path.of(only));
        }
        String profile = environment.getOrDefault("USERPROFILE", "");
        String home = variable(environment, "HOME", profile, "");
        List<Path> files = new ArrayList<>();
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (!runtime.isEmpty()) {
            add(files, runtime, "containers/auth.json");
        } else {
            try {
                add(files, users + "/" + Files.getAttribute(process, "unix:uid"), "auth.json");
            } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
                // This is not Linux.
            }
        }
        add(files, variable(environment, "XDG_CONFIG_HOME", home, "/.config"), "containers/auth.json");
        add(files, variable(environment, "DOCKER_CONFIG", home, "/.docker"), "config.json");
        add(files, home, ".dockercfg");
        return files;
    }

    /** The value of a variable, or else what is below a directory, if there is one. */
    private static String variable(Map<String, String> environment, String name, String directory, String below) {
        String value = environment.getOrDefault(name, "");
        return value.isEmpty() && !directory.isEmpty() ? directory + below : value;
    }

    private static void add(List<Path> files, String directory, String file) {
        if (!directory.isEmpty()) {
            files.add(Path.of(directory, file));
        }
    }

    /**
     * Returns the credentials of pull secrets, matched with images as the kubelet does; see {@link PullSecrets}.
     *
     * @param secrets the secrets in the order of the pod's {@code imagePullSecrets}, without missing ones
     * @return the credentials; nothing to close
     */
    public static Keychain kubernetes(List<PullSecret> secrets) {
        return new Keychain(List.of(PullSecrets.of(secrets)));
    }

    /**
     * Returns several providers as one.
     *
     * @param providers the providers, the first one first; closing the keychain closes them
     * @return the keychain
     */
    public static Keychain chain(CredentialProvider... providers) {
        return new Keychain(List.<CredentialProvider>of(providers));
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        for (CredentialProvider provider : providers()) {
            List<Credential> found = provider.credentials(registry, repository);
            if (!isNone(found)) {
                return found;
            }
        }
        return List.of();
    }

    private static boolean isNone(List<Credential> credentials) {
        for (Credential credential : credentials) {
            if (!(credential instanceof Credential.Anonymous)) {
                return false;
            }
        }
        return true;
    }

    /** Those of the first provider that gives any. */
    @Override
    public AuthHints hints(String registry) {
        for (CredentialProvider provider : providers()) {
            AuthHints hints = provider.hints(registry);
            if (!hints.equals(AuthHints.NONE)) {
                return hints;
            }
        }
        return AuthHints.NONE;
    }

    @Override
    public void refused(String registry, Credential refused) {
        for (CredentialProvider provider : providers()) {
            provider.refused(registry, refused);
        }
    }

    /** Describes the provider that has a credential, or that cannot say whether it has one; otherwise all of them. */
    @Override
    public String describe(String registry, String repository) {
        List<String> all = new ArrayList<>();
        for (CredentialProvider provider : providers()) {
            String description = provider.describe(registry, repository);
            try {
                if (!isNone(provider.credentials(registry, repository))) {
                    return description;
                }
            } catch (CredentialException e) {
                return description;
            }
            all.add(description);
        }
        return switch (all.size()) {
            case 0 -> "no credentials";
            case 1 -> all.get(0);
            default -> "no credentials (" + String.join(", ", all) + ")";
        };
    }

    @Override
    public void close() {
        RuntimeException failure = null;
        for (CredentialProvider provider : providers()) {
            try {
                provider.close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public String toString() {
        return providers().toString();
    }
}
