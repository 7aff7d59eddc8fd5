package io.urunner.agent.app.config;

import io.urunner.agent.text.Durations;
import io.urunner.agent.text.Values;
import io.urunner.registry.RegistryPrefix;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;

/** Parses single values; throws {@link IllegalArgumentException} with a message for people. */
final class Texts {
    private static final Map<Class<?>, Function<String, Object>> TYPES = Map.of(
            String.class, text -> text,
            boolean.class, Values::bool,
            Boolean.class, Values::bool,
            int.class, Texts::integer,
            Integer.class, Texts::integer,
            Duration.class, Durations::parse,
            URI.class, Texts::uri,
            Path.class, Texts::path,
            RegistryPrefix.class, RegistryPrefix::parse);

    private Texts() {}

    static boolean canRead(Class<?> type) {
        return TYPES.containsKey(type) || type.isEnum();
    }

    /** A value of a type that {@link #canRead}. */
    static Object read(Class<?> type, String text) {
        Function<String, Object> reader = TYPES.get(type);
        return reader == null ? Values.choice(type, text) : reader.apply(text);
    }

    private static Object integer(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(Values.shown(text) + " is not a whole number", e);
        }
    }

    /** A URL; {@code https} where the scheme is left out. */
    private static Object uri(String text) {
        try {
            URI uri = URI.create(text.contains("://") ? text : "https://" + text);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Reported below, without the parser's positions.
        }
        throw new IllegalArgumentException("'" + text + "' is not a URL such as https://gitlab.example.com");
    }

    private static Object path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + text + "' is not a path: " + e.getReason(), e);
        }
    }
}
