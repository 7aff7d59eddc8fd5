package io.urunner.agent.app.config;

import io.urunner.agent.text.Suggestion;
import io.urunner.registry.EnvironmentProxySelector;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialPlugins;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration: the file, the environment on top of it, the command line on top of that. No state is kept
 * between calls, so another call sees what has changed. Thread-safe.
 */
public final class SettingsLoader {
    /** What the original watches by default. */
    static final Node.Mapping DEFAULT_REGISTRY = new Node.Mapping(
            Map.of(
                    "host", new Node.Scalar("harbor.default.svc.cluster.local:8080", Origin.DEFAULT),
                    "type", new Node.Scalar("harbor", Origin.DEFAULT)),
            Origin.DEFAULT);

    private static final int MOST_UNUSABLE = 10;

    /** The variables that name a proxy; any of them may also be in lower case. */
    private static final List<String> PROXIES = List.of("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY");

    /** Java's own properties for it. */
    private static final List<String> JAVA_PROXIES = List.of("https.proxyHost", "http.proxyHost", "socksProxyHost");

    private final Map<String, String> environment;
    private final PluginDiscovery discovery;

    /**
     * A loader; it reads nothing yet.
     *
     * @param environment the environment variables
     * @param discovery finds the credential plugins, whose settings are read too
     */
    public SettingsLoader(Map<String, String> environment, PluginDiscovery discovery) {
        this.environment = Map.copyOf(environment);
        this.discovery = discovery;
    }

    /** Finds the credential plugins. */
    @FunctionalInterface
    public interface PluginDiscovery {
        /**
         * The available plugins.
         *
         * @param directory where to look in addition to the class path, if anywhere
         * @return the plugins
         * @throws IllegalArgumentException if something is wrong with them, or with the directory
         */
        CredentialPlugins discover(Optional<Path> directory);

        /**
         * The plugins that cannot be used: each with its jar, its class, the reason and what to do.
         *
         * @param directory where to look in addition to the class path, if anywhere
         * @return one line each, without a secret
         */
        default List<String> problems(Optional<Path> directory) {
            return List.of();
        }

        /**
         * The jars that are not meant to provide a plugin: libraries, which are only mentioned if a plugin is missing.
         *
         * @param directory where to look in addition to the class path, if anywhere
         * @return one line each
         */
        default List<String> others(Optional<Path> directory) {
            return List.of();
        }
    }

    /**
     * Reads the configuration of an agent: at least one registry is watched; the original's default if none is configured.
     *
     * @param overrides the options of the command line
     * @return the configuration
     * @throws ConfigurationException if anything is wrong; it lists all problems
     */
    public Configuration load(Overrides overrides) throws ConfigurationException {
        return new Load(overrides, true).run();
    }

    /**
     * Reads the configuration of a command that needs no registry, and has none by default.
     *
     * @param overrides the options of the command line
     * @return the configuration
     * @throws ConfigurationException if anything is wrong; it lists all problems
     */
    public Configuration loadWithoutDefaultRegistry(Overrides overrides) throws ConfigurationException {
        return new Load(overrides, false).run();
    }

    /** One load. */
    private final class Load {
        private final Overrides overrides;
        private boolean defaultRegistry;
        private final RecordBinder binder = new RecordBinder(environment);
        private final EnvironmentSource variables = new EnvironmentSource(environment, binder);
        private final Set<String> ambiguous = new TreeSet<>();
        private CredentialPlugins plugins = CredentialPlugins.of();
        private Optional<Path> pluginDirectory = Optional.empty();
        private EnvironmentProxySelector proxies = EnvironmentProxySelector.of(Map.of());

        Load(Overrides overrides, boolean defaultRegistry) {
            this.overrides = overrides;
            this.defaultRegistry = defaultRegistry;
        }

        Configuration run() throws ConfigurationException {
            Optional<Path> file = overrides
                    .file()
                    .or(() -> variables.has(EnvironmentSource.CONFIG_FILE)
                            ? Optional.of(Path.of(environment
                                    .getOrDefault(EnvironmentSource.CONFIG_FILE, "")
                                    .strip()))
                            : Optional.empty());
            Node.Mapping tree = file.map(path -> YamlSource.read(path, binder)).orElse(Node.Mapping.EMPTY);
            // What an unreadable file would have contained is unknown: do not report it as missing.
            defaultRegistry &= binder.problems().isEmpty();
            tree = tree.under(variables.settings(Settings.class));
            for (Map.Entry<String, String> value : new TreeMap<>(overrides.values()).entrySet()) {
                Origin origin = new Origin.Flag("--set " + value.getKey());
                if (value.getKey().contains("[")) {
                    binder.problem(
                            origin, "", "is an entry of a list, which --set cannot change: put the list into the file");
                    continue;
                }
                tree = tree.with(List.of(value.getKey().split("\\.")), new Node.Scalar(value.getValue(), origin));
            }
            plugins = discover(tree.entries().get("pluginDirectory"));
            variables.reportUnknown(
                    plugins, !discovery.problems(pluginDirectory).isEmpty());
            Settings settings = binder.bind(
                    Settings.class,
                    tree,
                    new RecordBinder.Scope("", EnvironmentSource.VARIABLES, "", this::registries));
            readProxies();
            ambiguous.removeAll(binder.referenced());
            ambiguous.forEach(variable -> binder.problem(
                    new Origin.Variable(variable),
                    "",
                    "could belong to several registries: say in the file which one, as {env: " + variable + "}"));
            if (settings == null || !binder.problems().isEmpty()) {
                throw new ConfigurationException(binder.problems());
            }
            file.ifPresent(binder.files()::add);
            return new Configuration(settings, binder.values(), warnings(settings), plugins, binder.files());
        }

        /** Reports each variable by itself, so that all that are unusable are named. */
        private void readProxies() {
            for (String upper : PROXIES) {
                for (String name : List.of(upper.toLowerCase(Locale.ROOT), upper)) {
                    try {
                        EnvironmentProxySelector.of(Map.of(name, environment.getOrDefault(name, "")));
                    } catch (IllegalArgumentException e) {
                        binder.problem(new Origin.Variable(name), "", String.valueOf(e.getMessage()));
                    }
                }
            }
            if (binder.problems().isEmpty()) {
                proxies = EnvironmentProxySelector.of(environment);
            }
        }

        private CredentialPlugins discover(@Nullable Node directory) {
            try {
                pluginDirectory = directory instanceof Node.Scalar scalar
                        ? Optional.of(Path.of(scalar.text().strip()))
                        : Optional.empty();
                return discovery.discover(pluginDirectory);
            } catch (IllegalArgumentException e) {
                binder.problem(
                        directory == null ? Origin.DEFAULT : directory.origin(),
                        "pluginDirectory",
                        String.valueOf(e.getMessage()));
                return directory == null ? CredentialPlugins.of() : discover(null);
            }
        }

        private List<String> warnings(Settings settings) {
            List<String> warnings = new ArrayList<>(discovery.problems(pluginDirectory));
            List<String> missing = ManifestTypes.missingFrom(settings.acceptHeader());
            if (!missing.isEmpty()) {
                warnings.add("DOCKER_API_ACCEPT_HEADER lacks " + String.join(", ", missing)
                        + ": added, because without them registries return another digest or 404");
            }
            for (Settings.Registry registry : settings.registries()) {
                if (!registry.tls().verify()) {
                    warnings.add(
                            "the TLS certificate of " + registry.host()
                                    + " is not verified: anyone on the network path can read the credentials; configure its CA instead");
                }
            }
            if (proxies.namesAny() && JAVA_PROXIES.stream().anyMatch(name -> System.getProperty(name) != null)) {
                warnings.add("the proxies of the environment's variables are used (" + proxies + "), and those in"
                        + " JAVA_TOOL_OPTIONS are not: keep one of the two, see docs/proxies.md");
            }
            return warnings;
        }

        private Optional<Function<Node, @Nullable Object>> registries(RecordComponent component) {
            return component.getDeclaringRecord() == Settings.class
                            && component.getName().equals("registries")
                    ? Optional.of(this::registries)
                    : Optional.empty();
        }

        private @Nullable Object registries(Node node) {
            List<Node> listed = node instanceof Node.Sequence sequence ? sequence.items() : List.of();
            if (node instanceof Node.Scalar
                    || (node instanceof Node.Mapping mapping
                            && !mapping.entries().isEmpty())) {
                binder.problem(node.origin(), "registries", "expected a list with a dash before each registry");
                return null;
            }
            List<Bound> found = merge(listed, variables.settings(Settings.Registry.class));
            List<Settings.Registry> registries = new ArrayList<>();
            for (int i = 0; i < found.size(); i++) {
                Settings.Registry registry = registry(found.get(i), found, "registries[" + i + "]");
                if (registry != null) {
                    registries.add(registry);
                }
            }
            return registries;
        }

        /** A registry, and whether the environment configures it. */
        private record Bound(Node node, boolean fromEnvironment) {}

        /** The registries of the file, merged with the one of the environment. */
        private List<Bound> merge(List<Node> listed, Node.Mapping one) {
            List<Bound> found = new ArrayList<>();
            if (listed.isEmpty()) {
                if (defaultRegistry || !one.entries().isEmpty()) {
                    found.add(new Bound(completed(one), true));
                }
                return found;
            }
            String host = canonical(text(one, "host"));
            boolean placed = one.entries().isEmpty();
            for (Node node : listed) {
                boolean meant = node instanceof Node.Mapping mapping
                        && !one.entries().isEmpty()
                        && (host.isEmpty()
                                ? listed.size() == 1
                                : canonical(text(mapping, "host")).equals(host));
                placed |= meant;
                found.add(meant ? new Bound(((Node.Mapping) node).under(one), true) : new Bound(node, false));
            }
            if (!placed && !host.isEmpty()) {
                found.add(new Bound(completed(one), true));
            } else if (!placed) {
                one.entries().values().stream()
                        .flatMap(node -> node instanceof Node.Mapping mapping
                                ? mapping.entries().values().stream()
                                : Stream.of(node))
                        .forEach(
                                node -> binder.problem(
                                        node.origin(),
                                        "",
                                        "does not say which registry it is for, and the file lists several: set it in the file"));
            }
            return found;
        }

        /** The same registry can be written in different ways. */
        private static String canonical(String host) {
            try {
                return host.isEmpty()
                        ? ""
                        : RegistryPrefix.parse(host).toString().toLowerCase(Locale.ROOT);
            } catch (IllegalArgumentException e) {
                return host; // reported where the settings are read
            }
        }

        /** The environment's registry; the rest has the original's defaults, or follows from the host. */
        private Node.Mapping completed(Node.Mapping one) {
            Node.Mapping registry = DEFAULT_REGISTRY.under(one);
            return one.entries().containsKey("type")
                    ? registry
                    : plugins.recognise(hostOnly(registry))
                            .map(plugin -> withType(registry, plugin.type()))
                            .orElse(registry);
        }

        private static Node.Mapping withType(Node.Mapping registry, String type) {
            return registry.with(List.of("type"), new Node.Scalar(type, Origin.DEFAULT));
        }

        private static String hostOnly(Node.Mapping registry) {
            String host = text(registry, "host");
            try {
                return RegistryPrefix.parse(host).registry();
            } catch (IllegalArgumentException e) {
                return host; // reported where the settings are read
            }
        }

        private static String text(Node.Mapping mapping, String key) {
            return mapping.entries().get(key) instanceof Node.Scalar scalar
                    ? scalar.text().strip()
                    : "";
        }

        private Settings.@Nullable Registry registry(Bound bound, List<Bound> all, String key) {
            Function<RecordComponent, String> names =
                    bound.fromEnvironment() ? EnvironmentSource.VARIABLES : component -> "";
            Node node = bound.node() instanceof Node.Mapping mapping
                            && !mapping.entries().containsKey("type")
                    ? withType(mapping, type(mapping))
                    : bound.node();
            return binder.bind(
                    Settings.Registry.class,
                    node,
                    new RecordBinder.Scope(
                            key,
                            names,
                            "",
                            component -> component.getType() == Record.class
                                    ? Optional.of(said -> credentials(said, bound, all, key))
                                    : Optional.empty()));
        }

        private @Nullable Object credentials(Node node, Bound bound, List<Bound> all, String key) {
            Node.Mapping registry = (Node.Mapping) bound.node();
            String type = type(registry);
            if (!plugins.types().contains(type)) {
                Node written = registry.entries().get("type");
                binder.problem(
                        written == null ? registry.origin() : written.origin(),
                        key + ".type",
                        "'" + type + "' is not a known type of registry"
                                + Suggestion.didYouMean(type, plugins.types()) + " (known: "
                                + String.join(", ", plugins.types()) + ")" + unusable(type));
                return null;
            }
            CredentialPlugin<?> plugin = plugins.get(type);
            boolean fromEnvironment = bound.fromEnvironment() || isAlone(type, all);
            Node.Mapping said = variables.credentials(plugin);
            if (isNobodys(registry)
                    && registry.origin() instanceof Origin.Default
                    && said.entries().isEmpty()) {
                binder.problem(
                        Origin.DEFAULT,
                        "registries",
                        "no registry is configured: set URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH, or"
                                + " 'registries' in the file; without either, " + text(registry, "host")
                                + " is watched, as in the original, with URUNNER_SECR_HARBOR_USER and"
                                + " URUNNER_SECR_HARBOR_PASS");
                return null;
            }
            Node credentials = node;
            if (fromEnvironment && node instanceof Node.Mapping mapping) {
                credentials = mapping.under(said);
            } else if (all.stream().noneMatch(other -> other.fromEnvironment() && shares(other, type))) {
                said.entries()
                        .values()
                        .forEach(value -> ambiguous.add(value.origin().toString()));
            }
            return binder.bind(
                    plugin.settingsType(),
                    credentials,
                    new RecordBinder.Scope(
                            key + ".credentials",
                            component -> fromEnvironment ? PluginVariables.name(type, component.getName()) : "",
                            need(type, registry),
                            component -> Optional.empty()));
        }

        /** Why the type may be missing; problems that name it come first. */
        private String unusable(String type) {
            List<String> all = new ArrayList<>(discovery.problems(pluginDirectory));
            all.addAll(discovery.others(pluginDirectory));
            all.sort(Comparator.comparing(problem -> !problem.contains("'" + type + "'")));
            String more = all.size() > MOST_UNUSABLE ? "; and " + (all.size() - MOST_UNUSABLE) + " more" : "";
            return all.isEmpty()
                    ? ""
                    : "; not usable: " + all.stream().limit(MOST_UNUSABLE).collect(Collectors.joining("; ")) + more;
        }

        /** Why a registry needs a setting of its plugin, and what to do if another registry was meant. */
        private static String need(String type, Node.Mapping registry) {
            String need = "a registry of the type '" + type + "' needs it";
            if (isNobodys(registry)) {
                return need + "; no registry is configured, so " + text(registry, "host")
                        + " is used, as in the original:"
                        + " set URUNNER_CONF_CONTAINER_REGISTRY_TO_WATCH, or 'registries' in the file";
            }
            return need + (type.equals("generic") ? "" : "; for a registry without login use the type 'generic'");
        }

        /** True if the registry is only the default. */
        private static boolean isNobodys(Node.Mapping registry) {
            @Nullable Node host = registry.entries().get("host");
            return host != null && host.origin() instanceof Origin.Default;
        }

        /** True if only one registry can use the environment's credentials. */
        private boolean isAlone(String type, List<Bound> all) {
            return all.stream().filter(other -> shares(other, type)).count() == 1;
        }

        private boolean shares(Bound other, String type) {
            return other.node() instanceof Node.Mapping mapping
                    && PluginVariables.prefix(type(mapping)).equals(PluginVariables.prefix(type));
        }

        /** The configured type, the one that the host determines, or {@code generic}. */
        private String type(Node.Mapping registry) {
            String type = text(registry, "type");
            return !type.isEmpty()
                    ? type
                    : plugins.recognise(hostOnly(registry))
                            .map(CredentialPlugin::type)
                            .orElse("generic");
        }
    }
}
