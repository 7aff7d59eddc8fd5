package io.urunner.registry.auth;

/**
 * A kind of registry, found by {@link java.util.ServiceLoader}: list the implementing class in {@code
 * META-INF/services/io.urunner.registry.auth.CredentialPlugin}. Implementations have a public constructor without
 * parameters, have no state and do no I/O.
 *
 * @param <S> the plugin's settings: a record whose constructor validates and throws {@link IllegalArgumentException}
 *     with a message for people. Its components may be {@code String}, {@code boolean}, {@code int}, {@link
 *     java.net.URI}, {@link SecretSource}, {@link java.time.Duration}, or {@link java.util.Optional} of one of these; a
 *     program that reads settings from text binds them by name.
 */
public interface CredentialPlugin<S extends Record> {
    /**
     * Returns the name by which settings choose this plugin.
     *
     * @return lower-case letters, digits and underscores, unique among the plugins on the path
     */
    String type();

    /**
     * Returns the class of the settings.
     *
     * @return a record class
     */
    Class<S> settingsType();

    /**
     * Whether a registry is certainly of this kind, judging by its name alone, so that settings need not state the
     * type. At most one plugin recognises a registry.
     *
     * @param registry the registry as {@code host[:port]}, in lower case
     * @return true if the name shows it; false, the default, if it does not
     */
    default boolean recognises(String registry) {
        return false;
    }

    /**
     * Creates a provider. It does no I/O until it is first used.
     *
     * @param settings the settings, valid by construction
     * @param context what the provider is for
     * @return the provider; the caller closes it
     * @throws IllegalArgumentException if the settings do not suit the registry
     */
    CredentialProvider create(S settings, PluginContext context);
}
