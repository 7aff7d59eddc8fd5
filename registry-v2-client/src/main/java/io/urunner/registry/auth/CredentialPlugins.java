package io.urunner.registry.auth;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * The kinds of registries that a program supports, by their type. Immutable and thread-safe.
 *
 * <p>A plugin that cannot be loaded, two plugins of one type and an unknown type are errors: nothing is skipped, and
 * nothing is replaced by something else.
 */
public final class CredentialPlugins {
    private final TreeMap<String, CredentialPlugin<?>> plugins = new TreeMap<>();

    private CredentialPlugins(Iterable<? extends CredentialPlugin<?>> plugins) {
        for (CredentialPlugin<?> plugin : plugins) {
            String type = plugin.type();
            if (type == null || !type.matches("[a-z][a-z0-9_]*")) {
                throw new IllegalArgumentException(
                        "the credential plugin " + nameOf(plugin) + " has the type '" + type
                                + "', but a type must start with a lower-case letter and contain only those, digits and underscores");
            }
            CredentialPlugin<?> other = this.plugins.putIfAbsent(type, plugin);
            if (other != null) {
                throw new IllegalArgumentException("two credential plugins have the type '" + type + "': "
                        + nameOf(other) + " and " + nameOf(plugin) + "; remove one of them");
            }
        }
    }

    /**
     * Finds plugins by {@link ServiceLoader} with the context class loader of the calling thread: those of the class
     * path, including those of this library.
     *
     * @return the plugins
     * @throws IllegalArgumentException if one cannot be loaded, or two have the same type
     */
    public static CredentialPlugins discover() {
        return discovered(ServiceLoader.load(CredentialPlugin.class));
    }

    /**
     * Finds plugins by {@link ServiceLoader} with a class loader, for example one for a folder of jars.
     *
     * @param loader the class loader; it stays open as long as the plugins are used
     * @return the plugins
     * @throws IllegalArgumentException if one cannot be loaded, or two have the same type
     */
    public static CredentialPlugins discover(ClassLoader loader) {
        return discovered(ServiceLoader.load(CredentialPlugin.class, loader));
    }

    /**
     * Returns exactly these plugins.
     *
     * @param plugins the plugins
     * @return the plugins
     * @throws IllegalArgumentException if two have the same type
     */
    public static CredentialPlugins of(CredentialPlugin<?>... plugins) {
        return new CredentialPlugins(List.of(plugins));
    }

    /**
     * Returns the known types.
     *
     * @return the types, in alphabetical order
     */
    public NavigableSet<String> types() {
        return Collections.unmodifiableNavigableSet(plugins.navigableKeySet());
    }

    /**
     * Returns the plugin of a type.
     *
     * @param type the type
     * @return the plugin
     * @throws IllegalArgumentException if there is none; the message lists the known ones
     */
    public CredentialPlugin<?> get(String type) {
        CredentialPlugin<?> plugin = plugins.get(type);
        if (plugin == null) {
            throw new IllegalArgumentException("no credential plugin has the type '" + type + "'; the known types are "
                    + String.join(", ", types()));
        }
        return plugin;
    }

    /**
     * Returns the plugin that recognises a registry by its name, in upper or lower case.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the plugin, or empty if the name does not show the kind
     */
    public Optional<CredentialPlugin<?>> recognise(String registry) {
        String name = registry.toLowerCase(Locale.ROOT);
        for (CredentialPlugin<?> plugin : plugins.values()) {
            if (plugin.recognises(name)) {
                return Optional.of(plugin);
            }
        }
        return Optional.empty();
    }

    /**
     * Creates a provider with the plugin of a type.
     *
     * @param type the type
     * @param settings settings of the plugin's {@link CredentialPlugin#settingsType()}
     * @param context what the provider is for
     * @return the provider; the caller closes it
     * @throws IllegalArgumentException if the type is unknown, or the settings are of another class or do not suit the
     *     registry
     */
    public CredentialProvider create(String type, Record settings, PluginContext context) {
        return create(get(type), settings, context);
    }

    private static <S extends Record> CredentialProvider create(
            CredentialPlugin<S> plugin, Record settings, PluginContext context) {
        if (!plugin.settingsType().isInstance(settings)) {
            throw new IllegalArgumentException("the credential plugin '" + plugin.type() + "' takes "
                    + plugin.settingsType().getName() + ", not "
                    + settings.getClass().getName());
        }
        return plugin.create(plugin.settingsType().cast(settings), context);
    }

    @SuppressWarnings("rawtypes")
    private static CredentialPlugins discovered(ServiceLoader<CredentialPlugin> found) {
        List<CredentialPlugin<?>> plugins = new ArrayList<>();
        try {
            for (CredentialPlugin<?> plugin : found) {
                plugins.add(plugin);
            }
            return new CredentialPlugins(plugins);
        } catch (ServiceConfigurationError | LinkageError e) {
            throw new IllegalArgumentException("a credential plugin cannot be loaded: " + e + ", " + e.getCause(), e);
        }
    }

    private static String nameOf(CredentialPlugin<?> plugin) {
        return plugin.getClass().getName();
    }

    /** The types. */
    @Override
    public String toString() {
        return types().toString();
    }
}
