package io.urunner.registry.auth;

/**
 * A kind of registry, found by {@link java.util.ServiceLoader}: name the implementing class in {@code
 * META-INF/services/io.urunner.registry.auth.CredentialPlugin}. Implementations have a public constructor without
 * parameters, keep no state and do no I/O.
 *
 * @param <S> the plugin's settings: a record whose constructor validates and throws {@link IllegalArgumentException} with
 *     a message for people. Its components may be {@code String}, {@code boolean}, {@code int}, {@link java.net.URI},
 *     {@link SecretSource}, {@link java.time.Duration}, or {@link java.util.Optional} of one of these; a program that
 *     reads settings from text binds them by name.
 */
public interface CredentialPlugin<S extends Record> {
    /**
     * The name by which settings choose this plugin.
     *
     * @return lower-case letters, digits and underscores, unique among the plugins on the path
     */
    String type();

    /**
     * The class of the settings.
     *
     * @return a record class
     */
    Class<S> settingsType();

    /**
     * Whether a registry is of this kind beyond doubt, by its name alone, so that settings need not say the type. At most
     * one plugin recognises a registry.
     *
     * @param registry the registry as {@code host[:port]}
     * @return true if its name tells; false, the default, where names tell nothing
     */
    default boolean recognises(String registry) {
        return false;
    }

    /**
     * Creates a provider. It does no I/O; that comes with the first question.
     *
     * @param settings the settings, valid by construction
     * @param context what the provider is for
     * @return the provider; the caller closes it
     * @throws IllegalArgumentException if the settings do not fit the registry
     */
    CredentialProvider create(S settings, PluginContext context);
}
