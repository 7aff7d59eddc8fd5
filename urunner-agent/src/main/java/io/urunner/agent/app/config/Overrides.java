package io.urunner.agent.app.config;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The configuration options of the command line. Immutable.
 *
 * @param file the configuration file; empty for the one that {@code URUNNER_CONFIG} names, if any
 * @param values values by key, such as {@code log.level}, on top of the file and the environment
 */
public record Overrides(Optional<Path> file, Map<String, String> values) {
    /** Nothing. */
    public static final Overrides NONE = new Overrides(Optional.empty(), Map.of());

    public Overrides {
        values = Map.copyOf(values);
    }
}
