package io.urunner.agent.app.config;

import io.urunner.registry.auth.CredentialPlugins;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A configuration that was read without a problem. Immutable.
 *
 * @param settings what is in force
 * @param values every value that is in force, in the order of the settings, with its origin
 * @param warnings what was put right, or looks wrong and is not
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
     * Whether anybody said something about a setting.
     *
     * @param key its key, such as {@code log.level}
     * @return false if the default is in force
     */
    public boolean isSet(String key) {
        return values.stream()
                .anyMatch(value -> value.key().equals(key) && !(value.origin() instanceof Origin.Default));
    }
}
