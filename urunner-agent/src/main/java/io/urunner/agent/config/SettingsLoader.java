package io.urunner.agent.config;

import io.urunner.registry.auth.CredentialPlugin;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration: the file, the environment on top of it, the command line on top of that. Nothing is remembered
 * between two calls, so calling it again sees what has changed. Thread-safe.
 */
public final class SettingsLoader {
    /** What the original watches when nobody says anything. */
    static final Node.Mapping DEFAULT_REGISTRY = new Node.Mapping(
            Map.of(
                    "host", new Node.Scalar("harbor.default.svc.cluster.local:8080", Origin.DEFAULT),
                    "type", new Node.Scalar("harbor", Origin.DEFAULT)),
            Origin.DEFAULT);

    private final Map<String, String> environment;
    private final PluginDiscovery discovery;

    /**
     * A loader; it reads nothing yet.
     *
     * @param environment the environment variables
     * @param discovery how the credential plugins are found, whose settings are read too
     */
    public SettingsLoader(Map<String, String> environment, PluginDiscovery discovery) {
        this.environment = Map.copyOf(environment);
        this.discovery = discovery;
    }

    /** Finds the credential plugins. */
    @FunctionalInterface
    public interface PluginDiscovery {
        /**
         * The plugins that there are.
         *
         * @param directory where to look beside the class path, if anywhere
         * @return the plugins by type
         * @throws IllegalArgumentException if there is something wrong with them, or with the directory
         */
        Map<String, ? extends CredentialPlugin<?>> discover(Optional<Path> directory);
    }

    /**
     * Reads the configuration of an agent: at least one registry is watched, the original's default if none is named.
     *
     * @param overrides what the command line says
     * @return the configuration
     * @throws ConfigurationException if there is a problem, with all that there are
     */
    public Configuration load(Overrides overrides) throws ConfigurationException {
        return new Load(overrides, true).run();
    }

    /**
     * Reads the configuration of a command that needs no registry: without one named, there is none.
     *
     * @param overrides what the command line says
     * @return the configuration
     * @throws ConfigurationException if there is a problem, with all that there are
     */
    public Configuration loadWithoutDefaultRegistry(Overrides overrides) throws ConfigurationException {
        return new Load(overrides, false).run();
    }

    /** One reading. */
    private final class Load {
        private final Overrides overrides;
        private final boolean defaultRegistry;
        private final RecordBinder binder = new RecordBinder(environment);
        private final EnvironmentSource variables = new EnvironmentSource(environment);
        private Map<String, ? extends CredentialPlugin<?>> plugins = Map.of();

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
            tree = tree.under(variables.settings(Settings.class));
            for (Map.Entry<String, String> value : new TreeMap<>(overrides.values()).entrySet()) {
                Origin origin = new Origin.Flag("--set " + value.getKey());
                tree = tree.with(List.of(value.getKey().split("\\.")), new Node.Scalar(value.getValue(), origin));
            }
            plugins = discover(tree.entries().get("pluginDirectory"));
            variables.reportUnknown(plugins.values(), binder);
            Settings settings = binder.bind(
                    Settings.class,
                    tree,
                    new RecordBinder.Scope("", EnvironmentSource.VARIABLES, "", this::registries));
            if (settings == null || !binder.problems().isEmpty()) {
                throw new ConfigurationException(binder.problems());
            }
            return new Configuration(settings, binder.values(), warnings(settings));
        }

        private Map<String, ? extends CredentialPlugin<?>> discover(@Nullable Node directory) {
            try {
                return discovery.discover(
                        directory instanceof Node.Scalar scalar
                                ? Optional.of(Path.of(scalar.text().strip()))
                                : Optional.empty());
            } catch (IllegalArgumentException e) {
                binder.problem(
                        directory == null ? Origin.DEFAULT : directory.origin(),
                        "pluginDirectory",
                        String.valueOf(e.getMessage()));
                return discovery.discover(Optional.empty());
            }
        }

        private List<String> warnings(Settings settings) {
            List<String> warnings = new ArrayList<>();
            List<String> missing = ManifestTypes.missingFrom(settings.acceptHeader());
            if (!missing.isEmpty()) {
                warnings.add("DOCKER_API_ACCEPT_HEADER lacks " + String.join(", ", missing)
                        + ": added, for without them registries answer with another digest or with 404");
            }
            for (Settings.Registry registry : settings.registries()) {
                if (!registry.tls().verify()) {
                    warnings.add("the TLS certificate of " + registry.host()
                            + " is not verified: whoever is on the way can read the credentials; better give its CA");
                }
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
                binder.problem(node.origin(), "registries", "expected a list: each registry after a dash");
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

        /** A registry, and whether the environment speaks of it. */
        private record Bound(Node node, boolean fromEnvironment) {}

        /** The registries of the file with the one of the environment among them. */
        private List<Bound> merge(List<Node> listed, Node.Mapping one) {
            List<Bound> found = new ArrayList<>();
            if (listed.isEmpty()) {
                if (defaultRegistry || !one.entries().isEmpty()) {
                    found.add(new Bound(DEFAULT_REGISTRY.under(one), true));
                }
                return found;
            }
            String host = text(one, "host");
            boolean placed = one.entries().isEmpty();
            for (Node node : listed) {
                boolean meant = node instanceof Node.Mapping mapping
                        && !one.entries().isEmpty()
                        && (host.isEmpty()
                                ? listed.size() == 1
                                : text(mapping, "host").equals(host));
                placed |= meant;
                found.add(meant ? new Bound(((Node.Mapping) node).under(one), true) : new Bound(node, false));
            }
            if (!placed && !host.isEmpty()) {
                found.add(new Bound(DEFAULT_REGISTRY.under(one), true));
            } else if (!placed) {
                one.entries().values().stream()
                        .flatMap(node -> node instanceof Node.Mapping mapping
                                ? mapping.entries().values().stream()
                                : Stream.of(node))
                        .forEach(node -> binder.problem(
                                node.origin(),
                                "",
                                "says nothing of which registry, and the file names several: say it in the file"));
            }
            return found;
        }

        private static String text(Node.Mapping mapping, String key) {
            return mapping.entries().get(key) instanceof Node.Scalar scalar
                    ? scalar.text().strip()
                    : "";
        }

        private Settings.@Nullable Registry registry(Bound bound, List<Bound> all, String key) {
            Function<RecordComponent, String> names =
                    bound.fromEnvironment() ? EnvironmentSource.VARIABLES : component -> "";
            return binder.bind(
                    Settings.Registry.class,
                    bound.node(),
                    new RecordBinder.Scope(
                            key,
                            names,
                            "",
                            component -> component.getType() == Record.class
                                    ? Optional.of(node -> credentials(node, bound, all, key))
                                    : Optional.empty()));
        }

        private @Nullable Object credentials(Node node, Bound bound, List<Bound> all, String key) {
            Node.Mapping registry = (Node.Mapping) bound.node();
            String type = type(registry);
            CredentialPlugin<?> plugin = plugins.get(type);
            if (plugin == null) {
                Node written = registry.entries().get("type");
                binder.problem(
                        written == null ? registry.origin() : written.origin(),
                        key + ".type",
                        "'" + type + "' is not a known type of registry"
                                + Suggestion.didYouMean(type, plugins.keySet()) + " (known: "
                                + String.join(", ", new TreeMap<>(plugins).keySet()) + ")");
                return null;
            }
            // The environment's credentials belong to the one registry of their type.
            boolean fromEnvironment = bound.fromEnvironment()
                    || all.stream()
                                    .filter(other -> other.node() instanceof Node.Mapping mapping
                                            && type(mapping).equals(type))
                                    .count()
                            == 1;
            Node credentials = fromEnvironment && node instanceof Node.Mapping mapping
                    ? mapping.under(variables.credentials(plugin, binder))
                    : node;
            return binder.bind(
                    plugin.settingsType(),
                    credentials,
                    new RecordBinder.Scope(
                            key + ".credentials",
                            component -> fromEnvironment ? PluginVariables.name(type, component.getName()) : "",
                            "a registry of the type '" + type + "' needs it"
                                    + (type.equals("generic")
                                            ? ""
                                            : "; one that needs no login is of the type 'generic'"),
                            component -> Optional.empty()));
        }

        private static String type(Node.Mapping registry) {
            String type = text(registry, "type");
            return type.isEmpty() ? "generic" : type;
        }
    }
}
