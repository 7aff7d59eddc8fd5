package io.urunner.agent.app.config;

import io.urunner.agent.plan.Admission;
import io.urunner.kube.KubeName;
import io.urunner.registry.HostOptions;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.auth.SecretSource;
import java.lang.reflect.RecordComponent;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * All settings, valid by construction. Immutable. The components' names are the keys in the file.
 *
 * @param log what is logged, and how
 * @param kubernetes which cluster, and how to reach it
 * @param interval the time between two passes
 * @param registries the registries to watch, at least one
 * @param policies when a stale workload may be rolled out
 * @param rollouts how many rollouts may run at once
 * @param acceptHeader the media types to accept
 * @param store where the history is kept
 * @param http the endpoints that the agent serves
 * @param pluginDirectory where to find further credential plugins
 */
public record Settings(
        Log log,
        Kubernetes kubernetes,

        @Setting(
                variable = "URUNNER_CONF_FREQUENCY_CHECK_SECONDS",
                fallback = "30",
                meaning = "time between two passes: seconds, or a duration such as `5m`")
        Duration interval,

        List<Registry> registries,
        Policies policies,
        Rollouts rollouts,

        @Setting(
                variable = "DOCKER_API_ACCEPT_HEADER",
                fallback = ManifestTypes.ALL,
                meaning =
                        "media types that manifest requests accept; the four of Docker and OCI are added if they are missing")
        String acceptHeader,

        Store store,
        Http http,

        @Setting(
                variable = "URUNNER_CONF_PLUGIN_DIR",
                meaning = "directory whose `*.jar` files are searched for further credential plugins")
        Optional<Path> pluginDirectory) {
    public Settings {
        registries = List.copyOf(registries);
        if (interval.toMillis() < 1000) {
            throw new IllegalArgumentException("interval must be at least one second");
        }
        Map<String, Registry> hosts = new HashMap<>();
        Set<String> prefixes = new HashSet<>();
        for (Registry registry : registries) {
            // Host names are not case-sensitive.
            if (!prefixes.add(registry.host().toString().toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException("registries name " + registry.host() + " twice");
            }
            Registry other = hosts.putIfAbsent(registry.host().registry().toLowerCase(Locale.ROOT), registry);
            if (other != null && !other.isReachedLike(registry)) {
                throw new IllegalArgumentException("registries of one host must have the same tls, plainHttp,"
                        + " trustedHosts, address, mirrors and concurrency, but " + other.host() + " and "
                        + registry.host() + " differ");
            }
        }
    }

    /**
     * The media types to accept for manifests, in addition to those that are always accepted.
     *
     * @return the media types
     */
    public List<String> acceptedTypes() {
        return ManifestTypes.of(acceptHeader);
    }

    /**
     * What is logged, and how.
     *
     * @param level the least severe level that is logged
     * @param format how a line is written
     */
    public record Log(
            @Setting(
                    variable = "URUNNER_CONF_LOG_LEVEL",
                    fallback = "INFO",
                    meaning = "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`")
            LogLevel level,

            @Setting(
                    variable = "URUNNER_CONF_LOG_FORMAT",
                    fallback = "text",
                    meaning = "`text` for people, or `json` (one object per line) for machines")
            LogFormat format) {}

    /** Severity of a log event, with the original's names. */
    public enum LogLevel {
        /** Everything. */
        DEBUG,
        /** One event per change of state. */
        INFO,
        /** What somebody should check. */
        WARNING,
        /** What failed. */
        ERROR,
        /** The same as {@link #ERROR}. */
        CRITICAL
    }

    /** How a line of the log is written. */
    public enum LogFormat {
        /** For people. */
        TEXT("text"),
        /** For machines: one JSON object per line. */
        JSON("json");

        private final String text;

        LogFormat(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * The cluster, and how to reach it.
     *
     * @param auth the source of the credentials
     * @param cluster the name of this cluster in the history
     * @param namespaces the namespaces to watch; empty for all
     * @param leaderElection whether several agents elect the one that acts
     * @param lease the name of the Lease
     * @param leaseNamespace the namespace of the Lease; empty for the agent's own
     * @param pullSecrets whether pull secrets of workloads are read where no credential is configured
     */
    public record Kubernetes(
            @Setting(
                    variable = "URUNNER_CONF_KUBE_AUTH",
                    fallback = "incluster",
                    meaning =
                            "`incluster` (the pod's ServiceAccount) or `kubeconfig` (`KUBECONFIG`, then `~/.kube/config`)")
            KubeAuth auth,

            @Setting(
                    variable = "URUNNER_CONF_CLUSTER_NAME",
                    fallback = "default",
                    meaning = "name of this cluster in a history that several clusters share")
            String cluster,

            @Setting(
                    variable = "URUNNER_CONF_NAMESPACES",
                    meaning =
                            "namespaces to watch, separated by commas, for an agent without a ClusterRole; all if not set. Either way only those labelled `urunner=enable`")
            List<String> namespaces,

            @Setting(
                    variable = "URUNNER_CONF_LEADER_ELECTION",
                    fallback = "false",
                    meaning = "elect the one of several agents that acts, through a Lease")
            boolean leaderElection,

            @Setting(variable = "URUNNER_CONF_LEASE_NAME", fallback = "urunner", meaning = "name of the Lease")
            String lease,

            @Setting(
                    variable = "URUNNER_CONF_LEASE_NAMESPACE",
                    meaning = "namespace of the Lease; by default that of the pod, or of the kubeconfig's context")
            Optional<String> leaseNamespace,

            @Setting(
                    variable = "URUNNER_CONF_PULL_SECRETS",
                    fallback = "true",
                    meaning = "use the pull secrets of workloads for registries without a configured credential")
            boolean pullSecrets) {
        public Kubernetes {
            namespaces = List.copyOf(namespaces);
            namespaces.forEach(name -> checkName("namespaces", name, KubeName.isOfNamespace(name)));
            checkName("lease", lease, KubeName.isOfObject(lease));
            leaseNamespace.ifPresent(name -> checkName("leaseNamespace", name, KubeName.isOfNamespace(name)));
        }

        private static void checkName(String setting, String name, boolean possible) {
            if (!possible) {
                throw new IllegalArgumentException(setting + " cannot be " + KubeName.shown(name)
                        + ": a Kubernetes name consists of lower-case letters, digits and '-'");
            }
        }
    }

    /** The source of the credentials for the cluster. */
    public enum KubeAuth {
        /** The pod's ServiceAccount. */
        INCLUSTER("incluster"),
        /** A kubeconfig file, by the usual rules. */
        KUBECONFIG("kubeconfig");

        private final String text;

        KubeAuth(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * A registry to watch.
     *
     * @param host the registry, with an optional path that its repositories start with
     * @param type the credential plugin's type
     * @param credentials the plugin's settings
     * @param tls how its certificate is checked
     * @param interval the time between two passes over its references; empty for the general one
     * @param concurrency requests at the same time; empty for the client's default
     * @param budget requests per minute; empty for no limit
     * @param plainHttp whether it uses plain HTTP; not needed for loopback hosts
     * @param trustedHosts hosts with private addresses to which its challenges and redirects may lead
     * @param address where it is, if its name is not its address
     * @param mirrors what is asked before it, in this order
     */
    public record Registry(
            @Setting(
                    variable = "URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH",
                    meaning =
                            "registry to watch: `host` or `host:port`, optionally with a path that repositories start with")
            RegistryPrefix host,

            @Setting(
                    variable = "URUNNER_CONF_CONTAINER_REGISTRY_TYPE",
                    meaning =
                            "`gitlab`, `harbor`, `aws_ecr`, `digitalocean`, `dockerhub`, `ghcr`, `acr`, `google`, `generic`, or the type of your own plugin; optional in the file if the host determines the type")
            String type,

            Record credentials,
            Tls tls,

            @Setting(meaning = "time between two passes over this registry, if it differs")
            Optional<Duration> interval,

            @Setting(meaning = "maximum number of concurrent requests to this registry; 8 if not set")
            Optional<Integer> concurrency,

            @Setting(meaning = "maximum number of requests to this registry per minute")
            Optional<Integer> budget,

            @Setting(fallback = "false", meaning = "the registry uses plain HTTP; not needed for loopback hosts")
            boolean plainHttp,

            @Setting(
                    meaning =
                            "`host[:port]` of token servers and storage at private addresses to which the registry may redirect")
            List<String> trustedHosts,

            @Setting(meaning = "`host[:port]` at which the registry is reached, if it differs from the name in images")
            Optional<String> address,

            List<Mirror> mirrors) {
        /** Components of plugins' settings that are addresses, not credentials. */
        private static final Set<String> PLACES = Set.of("authUrl", "region", "endpoint", "tenant");

        public Registry {
            trustedHosts = List.copyOf(trustedHosts);
            mirrors = List.copyOf(mirrors);
            checked("trustedHosts", HostOptions.DEFAULTS::withTrustedHosts, Set.copyOf(trustedHosts));
            address.ifPresent(hostAndPort -> checked("address", HostOptions.DEFAULTS::withAddress, hostAndPort));
            if (interval.isPresent() && interval.get().toMillis() < 1000) {
                throw new IllegalArgumentException("interval must be at least one second");
            }
            if (concurrency.orElse(1) < 1) {
                throw new IllegalArgumentException("concurrency must be at least 1");
            }
            if (budget.orElse(1) < 1) {
                throw new IllegalArgumentException("budget must be at least 1 request per minute");
            }
        }

        /**
         * The settings that contain its credential, for messages: keys in the file and variables.
         *
         * @return the names
         */
        public String credentialNames() {
            List<String> names = Arrays.stream(credentials.getClass().getRecordComponents())
                    .map(RecordComponent::getName)
                    .filter(name -> !PLACES.contains(name))
                    .toList();
            return "registries[].credentials." + String.join("/", names) + " in the file, or "
                    + names.stream()
                            .map(name -> PluginVariables.name(type, name))
                            .collect(Collectors.joining("/"));
        }

        /**
         * Tells whether the registry works without a configured credential, so that pull secrets of workloads are used.
         *
         * @return false if a credential is required
         */
        public boolean credentialsAreOptional() {
            return Arrays.stream(credentials.getClass().getRecordComponents())
                    .allMatch(component -> component.getType() == Optional.class);
        }

        /** Has the client check a value, and says for which setting. */
        private static <T> void checked(String name, Function<T, HostOptions> use, T value) {
            try {
                Objects.requireNonNull(use.apply(value));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + " cannot be used: " + e.getMessage(), e);
            }
        }

        private boolean isReachedLike(Registry other) {
            return tls.equals(other.tls)
                    && plainHttp == other.plainHttp
                    && trustedHosts.equals(other.trustedHosts)
                    && address.equals(other.address)
                    && mirrors.equals(other.mirrors)
                    && concurrency.equals(other.concurrency);
        }
    }

    /**
     * A mirror of a registry.
     *
     * @param url its address
     * @param tags whether what it says about a tag counts
     */
    public record Mirror(
            @Setting(
                    meaning =
                            "URL of a mirror that is asked before the registry for manifests and blobs; a path with `v2` is the API itself, as in `https://harbor.example/v2/hub-proxy`")
            URI url,

            @Setting(
                    fallback = "true",
                    meaning =
                            "what the mirror says about a tag counts, as on nodes that pull from it; `false`: only content")
            boolean tags) {
        public Mirror {
            toMirror(url, tags);
        }

        /**
         * What the client takes.
         *
         * @return the mirror
         */
        public io.urunner.registry.Mirror toMirror() {
            return toMirror(url, tags);
        }

        private static io.urunner.registry.Mirror toMirror(URI url, boolean tags) {
            try {
                return new io.urunner.registry.Mirror(url, tags);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("url: " + e.getMessage(), e);
            }
        }
    }

    /**
     * How a registry's certificate is verified, and the client certificate.
     *
     * @param verify whether it is verified at all
     * @param ca further certificate authorities to trust, a PEM file
     * @param certificate the client certificate, a PEM file
     * @param key the certificate's private key, a PEM file (PKCS #8)
     */
    public record Tls(
            @Setting(
                    variable = "URUNNER_CONF_DOCKER_API_VERIFY",
                    fallback = "true",
                    meaning = "verify the registry's TLS certificate")
            boolean verify,

            @Setting(meaning = "PEM file of certificate authorities to trust in addition to the system's")
            Optional<Path> ca,

            @Setting(meaning = "PEM file of the client certificate")
            Optional<Path> certificate,

            @Setting(meaning = "PEM file of the client certificate's private key (PKCS #8)")
            Optional<Path> key) {
        public Tls {
            if (certificate.isPresent() != key.isPresent()) {
                throw new IllegalArgumentException("certificate and key belong together: set both or neither");
            }
        }
    }

    /**
     * How many rollouts may run at once.
     *
     * @param max in the cluster; empty for any number
     * @param maxPerNamespace in a namespace; empty for any number
     * @param canary whether one of the workloads that share an image is rolled out first
     */
    public record Rollouts(
            @Setting(
                    variable = "URUNNER_CONF_MAX_ROLLOUTS",
                    meaning = "maximum number of concurrent rollouts in the cluster")
            Optional<Integer> max,

            @Setting(
                    variable = "URUNNER_CONF_MAX_ROLLOUTS_PER_NAMESPACE",
                    meaning = "maximum number of concurrent rollouts in a namespace")
            Optional<Integer> maxPerNamespace,

            @Setting(
                    variable = "URUNNER_CONF_CANARY",
                    fallback = "false",
                    meaning =
                            "of the workloads that share an image, roll out one first, and the others once it is healthy")
            boolean canary) {
        public Rollouts {
            if (max.orElse(1) < 1) {
                throw new IllegalArgumentException("max must be at least 1");
            }
            if (maxPerNamespace.orElse(1) < 1) {
                throw new IllegalArgumentException("maxPerNamespace must be at least 1");
            }
        }

        /**
         * The same for the planner.
         *
         * @return the limits
         */
        public Admission.Limits toLimits() {
            return new Admission.Limits(whole(max), whole(maxPerNamespace), canary, Admission.Limits.NONE.patience());
        }

        private static OptionalInt whole(Optional<Integer> number) {
            return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
        }
    }

    /**
     * Where the history is kept.
     *
     * @param path the SQLite file, used if there is no database URL
     * @param url the URL of a PostgreSQL database
     * @param user the user of that database, if the URL names none
     * @param password the password of that user
     * @param retention how much is kept
     */
    public record Store(
            @Setting(
                    variable = "URUNNER_CONF_SQLLIGHT_PATH",
                    fallback = "./urunner.db",
                    meaning = "SQLite file of the history (the spelling is that of the original)")
            Path path,

            @Setting(
                    variable = "URUNNER_CONF_DATABASE_URL",
                    meaning = "`jdbc:postgresql://…`, for a history that several agents or clusters share")
            Optional<String> url,

            @Setting(variable = "URUNNER_CONF_DATABASE_USER", meaning = "user of that database, if the URL names none")
            Optional<String> user,

            @Setting(variable = "URUNNER_SECR_DATABASE_PASS", meaning = "password of that user")
            Optional<SecretSource> password,

            Retention retention) {
        public Store {
            if (url.isPresent() && !url.get().startsWith("jdbc:postgresql:")) {
                throw new IllegalArgumentException("url must start with jdbc:postgresql:");
            }
            if (user.isPresent() != password.isPresent() || (user.isPresent() && url.isEmpty())) {
                throw new IllegalArgumentException("'user' and 'password' must be set together, and with 'url'");
            }
        }
    }

    /**
     * How much of the history is kept.
     *
     * @param digests how many digests per reference
     * @param days for how many days
     */
    public record Retention(
            @Setting(fallback = "50", meaning = "digests kept per reference")
            int digests,

            @Setting(fallback = "180", meaning = "days that history is kept")
            int days) {
        public Retention {
            if (digests < 1) {
                throw new IllegalArgumentException("digests must be at least 1");
            }
            if (days < 1) {
                throw new IllegalArgumentException("days must be at least 1");
            }
        }
    }

    /**
     * The endpoints that the agent serves.
     *
     * @param port the port; 0 for none
     * @param token the token of {@code explain} and {@code doctor} on other machines; empty if only the agent's own user on
     *     its own machine may query it
     * @param metricsToken the token that {@code /metrics} requires; empty if anybody may read it
     * @param hooks push hints of registries
     */
    public record Http(
            @Setting(
                    variable = "URUNNER_CONF_HTTP_PORT",
                    fallback = "8080",
                    meaning =
                            "port of `/livez`, `/readyz`, `/metrics` and of the endpoints that commands query; `0` for none")
            int port,

            @Setting(
                    variable = "URUNNER_SECR_HTTP_TOKEN",
                    meaning =
                            "bearer token with which commands on other machines may query the agent; commands in its pod need none")
            Optional<SecretSource> token,

            @Setting(
                    variable = "URUNNER_SECR_METRICS_TOKEN",
                    meaning = "bearer token that `/metrics` requires; anybody may read it if this is not set")
            Optional<SecretSource> metricsToken,

            Hooks hooks) {
        public Http {
            if (port < 0 || port > 65535) {
                throw new IllegalArgumentException("port must be from 0 (none) to 65535, not " + port);
            }
            if (port == 0 && hooks.secret().isPresent()) {
                throw new IllegalArgumentException(
                        "port must not be 0 if 'hooks' has a secret: hooks are served there");
            }
        }
    }

    /**
     * Push hints of registries.
     *
     * @param secret authenticates the hints; empty if none are accepted
     */
    public record Hooks(
            @Setting(
                    variable = "URUNNER_SECR_HOOKS_SECRET",
                    meaning =
                            "secret that authenticates push hints of registries (`POST /hooks/…`); none are accepted if it is not set")
            Optional<SecretSource> secret) {}
}
