package io.urunner.agent.app.config;

import io.urunner.registry.auth.CredentialPlugins;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A valid configuration. Immutable.
 *
 * @param settings the settings in force
 * @param values every value in force with its origin, in the order of the settings
 * @param warnings what was corrected, or is allowed but probably a mistake
 * @param plugins the plugins that the registries' credentials belong to
 * @param files the files that it was read from: the configuration file, and those with secrets
 */
public record Configuration(
        Settings settings,
        List<EffectiveValue> values,
        List<String> warnings,
        CredentialPlugins plugins,
        Set<Path> files) {
    public Configuration {
        values = List.copyOf(values);
        warnings = List.copyOf(warnings);
        files = Set.copyOf(files);
    }

    /**
     * Tells whether a setting was configured.
     *
     * @param key its key, such as {@code log.level}
     * @return false if it has its default
     */
    public boolean isSet(String key) {
        return values.stream()
                .anyMatch(value -> value.key().equals(key) && !(value.origin() instanceof Origin.Default));
    }
}
