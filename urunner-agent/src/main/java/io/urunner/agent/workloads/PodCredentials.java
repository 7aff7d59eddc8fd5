package io.urunner.agent.workloads;

import io.urunner.agent.PullSecretSource;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeAccess.SecretData;
import io.urunner.kube.KubeException;
import io.urunner.kube.KubeName;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.ImageReference;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.dockerconfig.PullSecret;
import io.urunner.registry.dockerconfig.PullSecrets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The credentials that the pods of watched workloads pull with: the pull secrets that the pod template names, or else
 * those of its service account. Secrets are read by name when they are needed, again when a registry refuses what they
 * hold, and otherwise every few minutes. An agent uses those of a {@linkplain #of namespace} for that namespace only; as a
 * provider, this yields those of all namespaces, for a command that knows only one workload. Thread-safe.
 */
public final class PodCredentials implements CredentialProvider {
    private static final Logger LOG = LoggerFactory.getLogger(PodCredentials.class);

    private static final Duration LIFE = Duration.ofMinutes(5);
    private static final Duration LIFE_OF_ACCOUNTS = Duration.ofMinutes(1);
    /** What nobody has read again for this long is forgotten. */
    private static final Duration UNUSED = LIFE.multipliedBy(2);

    /** How many bytes of a namespace's pull secrets are kept; what exceeds this is not used. */
    private static final int MOST_OF_A_NAMESPACE = 1024 * 1024;

    /** The same for all namespaces together, an eighth of the image's heap; a namespace with few bytes is not refused. */
    private static final int MOST = 8 * 1024 * 1024;

    private static final int FEW = 32 * 1024;

    /** How many problems with the pull secrets for a repository are reported. */
    private static final int MOST_PROBLEMS = 5;

    /** The status of an answer that is too large to be used. */
    private static final int TOO_LARGE = 413;

    private final InstantSource clock;
    private final PullSecretUsers users = new PullSecretUsers();
    private final Map<Name, CachedRead<List<String>>> accounts = new ConcurrentHashMap<>();
    private final Map<Name, CachedRead<Optional<SecretData>>> secrets = new ConcurrentHashMap<>();
    private final Set<String> missing = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Api api;

    /** A name in a namespace. */
    private record Name(String namespace, String name) {}

    private record Api(KubeAccess access, Problems problems) {}

    /** Is notified, on any thread, whether something can be read. */
    public interface Problems {
        /** The API server denies a read; the message names the permission. */
        void missing(String what, String message);

        void well(String what);
    }

    /**
     * Creates credentials without any workload: the agent adds them.
     *
     * @param clock the time
     */
    public PodCredentials(InstantSource clock) {
        this.clock = clock;
    }

    /**
     * Reads with this from now on, for a command that reports its own failures; before, there are no credentials.
     *
     * @param access what reads; the caller closes it
     */
    public void connect(KubeAccess access) {
        connect(access, new Problems() {
            @Override
            public void missing(String what, String message) {
                LOG.warn("{}", message);
            }

            @Override
            public void well(String what) {}
        });
    }

    /** Reads with this from now on; before, there are no credentials. */
    public void connect(KubeAccess access, Problems problems) {
        api = new Api(access, problems);
    }

    /**
     * A workload now uses these references, and no others.
     *
     * @param workload the workload
     * @param references the references
     */
    public void uses(Workload workload, Collection<ImageReference> references) {
        if (users.uses(workload, references)) {
            forgetUnused(workload.id().namespace());
        }
    }

    /** A workload went away. */
    void gone(WorkloadId id) {
        users.gone(id);
        forgetUnused(id.namespace());
    }

    /** Forgets what is no longer named by any workload of a namespace, or by a service account that one uses. */
    private void forgetUnused(String namespace) {
        Set<String> usedAccounts = new HashSet<>();
        Set<String> usedSecrets = new HashSet<>();
        users.all().stream()
                .filter(source -> source.namespace().equals(namespace))
                .forEach(source -> {
                    usedSecrets.addAll(source.secrets());
                    if (source.secrets().isEmpty()) {
                        usedAccounts.add(source.serviceAccount());
                    }
                });
        accounts.keySet().removeIf(name -> name.namespace().equals(namespace) && !usedAccounts.contains(name.name()));
        accounts.forEach((name, cached) -> {
            if (name.namespace().equals(namespace)) {
                cached.known().ifPresent(usedSecrets::addAll);
            }
        });
        secrets.keySet().removeIf(name -> name.namespace().equals(namespace) && !usedSecrets.contains(name.name()));
    }

    /**
     * Returns the credentials of one namespace's workloads only: what is read with them is for that namespace.
     *
     * @param namespace the namespace
     * @return its credentials; nothing to close
     */
    public PullSecretSource of(String namespace) {
        return new PullSecretSource() {
            @Override
            public List<Credential> credentials(String registry, String repository) throws CredentialException {
                return PodCredentials.this.credentials(registry, repository, Optional.of(namespace));
            }

            @Override
            public List<String> problems(String registry, String repository) {
                return PodCredentials.this.problems(registry, repository, namespace);
            }

            @Override
            public void refused(String registry, Credential refused) {
                PodCredentials.this.refused(registry, refused);
            }

            @Override
            public String describe(String registry, String repository) {
                return PodCredentials.this.describe(registry, repository, Optional.of(namespace));
            }
        };
    }

    @Override
    public List<Credential> credentials(String registry, String repository) throws CredentialException {
        return credentials(registry, repository, Optional.empty());
    }

    private List<Credential> credentials(String registry, String repository, Optional<String> namespace)
            throws CredentialException {
        Api now = api;
        Set<Credential> all = new LinkedHashSet<>();
        if (now != null) {
            for (PullSecretUsers.Source source : users.sources(registry, repository, namespace)) {
                List<PullSecret> found = new ArrayList<>();
                for (String name : names(now, source)) {
                    secret(now, new Name(source.namespace(), name), registry, repository)
                            .ifPresent(found::add);
                }
                all.addAll(PullSecrets.of(found).credentials(registry, repository));
            }
        }
        return List.copyOf(all);
    }

    /** What is wrong with the pull secrets that the users of a repository in a namespace name for it. */
    private List<String> problems(String registry, String repository, String namespace) {
        Api now = api;
        if (now == null) {
            return List.of();
        }
        Set<String> problems = new LinkedHashSet<>();
        try {
            for (PullSecretUsers.Source source : users.sources(registry, repository, Optional.of(namespace))) {
                problems.addAll(problems(now, source, registry, repository));
            }
        } catch (CredentialException e) {
            problems.add(String.valueOf(e.getMessage()));
        }
        return problems.stream().limit(MOST_PROBLEMS).toList();
    }

    private Set<String> problems(Api from, PullSecretUsers.Source source, String registry, String repository)
            throws CredentialException {
        Set<String> problems = new LinkedHashSet<>();
        List<PullSecret> found = new ArrayList<>();
        List<String> names = names(from, source);
        for (String name : names) {
            Name full = new Name(source.namespace(), name);
            secret(from, full, registry, repository).ifPresentOrElse(found::add, () -> problems.add(absent(full)));
        }
        PullSecrets all = PullSecrets.of(found);
        problems.addAll(all.problems());
        if (problems.isEmpty() && !names.isEmpty()) {
            noMatch(String.join(", ", names), all, registry, repository).ifPresent(problems::add);
        }
        return problems;
    }

    private String absent(Name name) {
        if (!KubeName.isOfObject(name.name())) {
            return "no pull secret can have the name " + KubeName.shown(name.name());
        }
        Optional<KubeException> denial = Optional.ofNullable(secrets.get(name)).flatMap(CachedRead::denial);
        return denial.map(e -> e.forbidden()
                        ? "the agent is not allowed to read the pull secret " + name.name()
                        : String.valueOf(e.getMessage()))
                .orElse("there is no secret " + name.name());
    }

    /** Why secrets that can be read have nothing for a repository; empty if they have. */
    private static Optional<String> noMatch(String names, PullSecrets secrets, String registry, String repository) {
        List<Credential> found = secrets.credentials(registry, repository);
        if (!found.isEmpty()) {
            return found.stream().allMatch(Credential.Anonymous.class::isInstance)
                    ? Optional.of("the entry for " + registry + " in the pull secrets (" + names
                            + ") has no user and password: like the kubelet, the agent ignores a token there")
                    : Optional.empty();
        }
        String other =
                registry.matches(".+:\\d+") ? registry.substring(0, registry.lastIndexOf(':')) : registry + ":443";
        return Optional.of("the pull secrets (" + names + ") have no entry for " + registry + "/" + repository
                + (secrets.credentials(other, repository).isEmpty()
                        ? ""
                        : ", only one for " + other + ": the key must have the same port as the image"));
    }

    private List<String> names(Api from, PullSecretUsers.Source source) throws CredentialException {
        if (!source.secrets().isEmpty()) {
            return source.secrets();
        }
        Name account = new Name(source.namespace(), source.serviceAccount());
        return guarded(
                from,
                "service accounts in namespace " + account.namespace(),
                List.of(),
                () -> accounts.computeIfAbsent(account, added -> new CachedRead<>(clock))
                        .get(
                                LIFE_OF_ACCOUNTS,
                                List::equals,
                                () -> from.access().pullSecrets(account.namespace(), account.name())));
    }

    private Optional<PullSecret> secret(Api from, Name name, String registry, String repository)
            throws CredentialException {
        if (!KubeName.isOfObject(name.name())) {
            String what = "names of pull secrets in namespace " + name.namespace();
            if (missing.add(what)) {
                from.problems()
                        .missing(
                                what,
                                "a workload or service account in namespace " + name.namespace()
                                        + " names a pull secret " + KubeName.shown(name.name())
                                        + ", which is not a valid name: it is skipped");
            }
            return Optional.empty();
        }
        if (!secrets.containsKey(name)) {
            secrets.values().removeIf(cached -> cached.isOlder(UNUSED));
        }
        CachedRead<Optional<SecretData>> cached = secrets.computeIfAbsent(name, added -> new CachedRead<>(clock));
        Optional<PullSecret> secret = guarded(
                        from,
                        "pull secrets in namespace " + name.namespace(),
                        Optional.<SecretData>empty(),
                        () -> cached.get(LIFE, PodCredentials::same, () -> read(from, name)))
                .map(data -> PullSecret.parse(name.name(), data.type(), data.data()));
        secret.ifPresent(found -> cached.gave(PullSecrets.of(List.of(found)).credentials(registry, repository)));
        return secret;
    }

    private Optional<SecretData> read(Api from, Name name) throws KubeException {
        Optional<SecretData> found = from.access().secret(name.namespace(), name.name());
        long ofNamespace = found.map(PodCredentials::size).orElse(0L);
        long all = ofNamespace;
        for (Map.Entry<Name, CachedRead<Optional<SecretData>>> other : secrets.entrySet()) {
            if (!other.getKey().equals(name)) {
                long size = other.getValue()
                        .known()
                        .flatMap(kept -> kept)
                        .map(PodCredentials::size)
                        .orElse(0L);
                all += size;
                ofNamespace += other.getKey().namespace().equals(name.namespace()) ? size : 0;
            }
        }
        if (ofNamespace > MOST_OF_A_NAMESPACE) {
            throw notUsed(name, "together with the other pull secrets there it exceeds " + MOST_OF_A_NAMESPACE / 1024);
        } else if (all > MOST && ofNamespace > FEW) {
            throw notUsed(name, "the pull secrets of all namespaces exceed " + MOST / 1024);
        }
        return found;
    }

    private static KubeException notUsed(Name name, String why) {
        return new KubeException(
                "the secret " + name.name() + " in namespace " + name.namespace() + " is not used: " + why + " kB",
                TOO_LARGE);
    }

    private static long size(SecretData secret) {
        return secret.data().values().stream().mapToLong(value -> value.length).sum();
    }

    private static boolean same(Optional<SecretData> one, Optional<SecretData> other) {
        return one.isPresent() == other.isPresent()
                && (one.isEmpty()
                        || (one.get().type().equals(other.get().type())
                                && one.get()
                                        .data()
                                        .keySet()
                                        .equals(other.get().data().keySet())
                                && one.get().data().entrySet().stream()
                                        .allMatch(entry -> Arrays.equals(
                                                entry.getValue(),
                                                other.get().data().get(entry.getKey())))));
    }

    /**
     * Without the permission, or if a secret is too large, there is nothing: that is reported once, and the other credentials
     * remain.
     */
    private <T> T guarded(Api from, String what, T nothing, CachedRead.From<T> read) throws CredentialException {
        try {
            T found = read.read();
            if (missing.remove(what)) {
                from.problems().well(what);
            }
            return found;
        } catch (KubeException e) {
            if (!e.forbidden() && !e.refused()) {
                throw new CredentialException(what + " cannot be read: " + e.getMessage(), true, e);
            }
            String which = e.forbidden() ? what : "some " + what;
            if (missing.add(which)) {
                from.problems().missing(which, String.valueOf(e.getMessage()));
            }
            return nothing;
        }
    }

    @Override
    public void refused(String registry, Credential refused) {
        secrets.values().forEach(cached -> cached.refused(refused));
    }

    @Override
    public String describe(String registry, String repository) {
        return describe(registry, repository, Optional.empty());
    }

    private String describe(String registry, String repository, Optional<String> namespace) {
        return users.sources(registry, repository, namespace).stream()
                .map(source -> (source.secrets().isEmpty()
                                ? "those of the service account " + source.serviceAccount()
                                : String.join(", ", source.secrets()))
                        + " in namespace " + source.namespace())
                .collect(Collectors.joining("; ", "pull secrets ", ""));
    }
}
