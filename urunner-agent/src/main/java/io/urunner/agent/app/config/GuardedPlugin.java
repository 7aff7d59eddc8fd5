package io.urunner.agent.app.config;

import io.urunner.agent.app.config.PluginBorder.Unusable;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialPlugin;
import io.urunner.registry.auth.CredentialProvider;
import io.urunner.registry.auth.PluginContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A plugin behind its border: its type and the class of its settings are read once, and whatever it does wrong is reported
 * with its name. Thread-safe.
 */
final class GuardedPlugin<S extends Record> implements CredentialPlugin<S> {
    private static final Duration FOR_A_START = Duration.ofSeconds(10);

    private final PluginBorder border;
    private final CredentialPlugin<S> plugin;
    private final String type;
    private final Class<S> settingsType;
    private final Consumer<String> problems;

    private GuardedPlugin(
            PluginBorder border,
            CredentialPlugin<S> plugin,
            String type,
            Class<S> settingsType,
            Consumer<String> problems) {
        this.border = border;
        this.plugin = plugin;
        this.type = type;
        this.settingsType = settingsType;
        this.problems = problems;
    }

    /**
     * Makes a plugin.
     *
     * @param border its border
     * @param maker makes it
     * @param problems receives what it does wrong before it is chosen
     * @return the plugin
     * @throws CredentialException if it cannot be created, or does not describe itself correctly
     */
    static GuardedPlugin<?> of(
            PluginBorder border, Callable<? extends CredentialPlugin<?>> maker, Consumer<String> problems)
            throws CredentialException {
        return border.call("when it was loaded", FOR_A_START, List::of, () -> of(border, maker.call(), problems));
    }

    private static <S extends Record> GuardedPlugin<S> of(
            PluginBorder border, CredentialPlugin<S> plugin, Consumer<String> problems) throws Unusable {
        @Nullable String type = plugin.type();
        if (type == null || !type.matches("[a-z][a-z0-9_]{0,62}")) {
            throw new Unusable(
                    "type()",
                    "gives " + (type == null ? "null" : "'" + FailureText.line(type, 64, List.of()) + "'")
                            + ", but a type has at most 63 lower-case letters, digits and underscores and starts with a letter");
        }
        @Nullable Class<S> settings = plugin.settingsType();
        if (settings == null || !settings.isRecord()) {
            throw new Unusable(
                    "settingsType()",
                    "gives " + (settings == null ? "null" : settings.getName()) + ", which is not a record");
        }
        Optional<String> unreadable = RecordBinder.unreadable(settings);
        if (unreadable.isPresent()) {
            throw new Unusable("settingsType()", "gives " + settings.getName() + ", but " + unreadable.get());
        }
        return new GuardedPlugin<>(border, plugin, type, settings, problems);
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public Class<S> settingsType() {
        return settingsType;
    }

    /** A plugin that fails here recognises no registry. */
    @Override
    public boolean recognises(String registry) {
        try {
            return border.call(
                    "in recognises()", GuardedProvider.FOR_WORDS, List::of, () -> plugin.recognises(registry));
        } catch (CredentialException e) {
            problems.accept(String.valueOf(e.getMessage()));
            return false;
        }
    }

    @Override
    public CredentialProvider create(S settings, PluginContext context) {
        try {
            List<Object> values = border.call(
                    "in the accessors of its settings", FOR_A_START, List::of, () -> RecordBinder.values(settings));
            return border.call("in create()", FOR_A_START, () -> FailureText.secretsOf(values), () -> {
                try {
                    @Nullable CredentialProvider provider = plugin.create(settings, context);
                    if (provider == null) {
                        throw new Unusable("create()", "returned null instead of a provider");
                    }
                    return new GuardedProvider(border, provider, values);
                } catch (IllegalArgumentException e) {
                    // The contract's exception for settings that do not fit; a subclass is a bug.
                    if (e.getClass() == IllegalArgumentException.class) {
                        throw new CredentialException(String.valueOf(e.getMessage()), false);
                    }
                    throw e;
                }
            });
        } catch (CredentialException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** The plugin, for people. */
    @Override
    public String toString() {
        return border + " (type '" + type + "')";
    }
}
