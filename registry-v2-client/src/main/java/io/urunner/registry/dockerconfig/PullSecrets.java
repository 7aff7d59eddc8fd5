package io.urunner.registry.dockerconfig;

import io.urunner.registry.Repository;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialProvider;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The pull secrets of a pod, matched with images as the kubelet does: all credentials whose key matches, in reverse
 * alphabetical order of the keys, so that a longer path comes first and a glob last. Immutable, thread-safe; it does no
 * I/O.
 *
 * <p>In one respect it does otherwise. To the kubelet {@code registry-1.docker.io} and {@code registry.hub.docker.com}
 * are registries of their own, whose keys are for images that are written with this name. Here a reference to Docker Hub
 * no longer shows how it was written, so these keys are for all its images; they come after those that the kubelet would
 * use.
 */
public final class PullSecrets implements CredentialProvider {
    private static final String DOCKER_HUB_KEY = "index.docker.io";

    /** The names that the kubelet knows for Docker Hub; its own rules hold for keys with them. */
    private static final Set<String> KUBELETS_NAMES = Set.of(Repository.DOCKER_HUB, DOCKER_HUB_KEY);

    private final List<PullSecret> secrets;
    private final Map<PullSecretKey, List<Credential>> entries;
    private final List<String> problems;

    private PullSecrets(List<PullSecret> secrets, Map<PullSecretKey, List<Credential>> entries, List<String> problems) {
        this.secrets = secrets;
        this.entries = entries;
        this.problems = List.copyOf(problems);
    }

    /**
     * Creates the credentials from a pod's secrets.
     *
     * @param secrets the secrets in the order of the pod's {@code imagePullSecrets}, without missing ones
     * @return their credentials
     */
    public static PullSecrets of(List<PullSecret> secrets) {
        var byKey = new TreeMap<PullSecretKey, List<Credential>>(
                Comparator.comparing(PullSecretKey::toString).reversed());
        var problems = new ArrayList<String>();
        for (PullSecret secret : secrets) {
            problems.addAll(secret.problems());
            secret.entries().forEach((written, credential) -> {
                Optional<PullSecretKey> key = PullSecretKey.parse(written);
                if (key.isEmpty()) {
                    problems.add("the pull secret " + secret.name() + " has a key that is not a registry: "
                            + PullSecretKey.shown(written));
                } else {
                    byKey.computeIfAbsent(key.get(), k -> new ArrayList<>()).add(credential);
                }
            });
        }
        return new PullSecrets(List.copyOf(secrets), byKey, problems);
    }

    /**
     * Returns what is wrong with the secrets.
     *
     * @return sentences for people, without a secret; empty if there are no problems
     */
    public List<String> problems() {
        return problems;
    }

    /**
     * Returns the credentials for a repository, in the order in which the kubelet tries them.
     *
     * @param registry the registry as {@code host[:port]}, {@code docker.io} for Docker Hub
     * @param repository the repository's name on it, without tag
     * @return the credentials without repetitions; empty if no key matches
     */
    @Override
    public List<Credential> credentials(String registry, String repository) {
        String canonical = Repository.canonicalRegistry(registry);
        PullSecretKey image = PullSecretKey.ofImage(canonical, repository);
        List<Credential> found = all(key -> key.matches(image));
        if (found.isEmpty() && canonical.equals(Repository.DOCKER_HUB)) {
            found = all(key -> key.toString().equals(DOCKER_HUB_KEY));
            return found.isEmpty() ? all(key -> isFurtherNameOfDockerHub(key, repository)) : found;
        }
        return found;
    }

    private List<Credential> all(Predicate<PullSecretKey> wanted) {
        Set<Credential> all = new LinkedHashSet<>();
        entries.forEach((key, credentials) -> {
            if (wanted.test(key)) {
                all.addAll(credentials);
            }
        });
        return List.copyOf(all);
    }

    private static boolean isFurtherNameOfDockerHub(PullSecretKey key, String repository) {
        return !KUBELETS_NAMES.contains(key.host)
                && Repository.canonicalRegistry(key.host).equals(Repository.DOCKER_HUB)
                && key.port.isEmpty()
                && ("/" + repository).startsWith(key.path);
    }

    @Override
    public String describe(String registry, String repository) {
        return secrets.isEmpty()
                ? "no pull secrets"
                : "pull secrets "
                        + String.join(
                                ", ", secrets.stream().map(PullSecret::name).toList());
    }

    @Override
    public String toString() {
        return describe("", "");
    }
}
