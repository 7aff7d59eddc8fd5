package io.urunner.agent.app.config;

import io.urunner.registry.RegistryPrefix;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads single values from text; what a text cannot be is said by {@link IllegalArgumentException}. */
final class Texts {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)?");

    /** What is longer cannot be counted in nanoseconds any more, with a margin. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private static final int LONGEST_SHOWN = 20;

    private static final Map<Class<?>, Function<String, Object>> TYPES = Map.of(
            String.class, text -> text,
            boolean.class, Texts::bool,
            Boolean.class, Texts::bool,
            int.class, Texts::integer,
            Integer.class, Texts::integer,
            Duration.class, Texts::duration,
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
        return reader == null ? constant(type, text) : reader.apply(text);
    }

    /** What is longer than any number or word here may be a password that was meant for another setting. */
    private static String shown(String text) {
        return text.length() <= LONGEST_SHOWN ? "'" + text + "'" : "what stands here";
    }

    private static Object bool(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(shown(text) + " is neither true nor false");
        };
    }

    private static Object integer(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(shown(text) + " is not a whole number", e);
        }
    }

    /** A bare number is seconds, as in the original; {@code 500ms}, {@code 30s}, {@code 5m}, {@code 2h}, {@code 7d}. */
    private static Object duration(String text) {
        Duration duration = unbounded(text);
        if (duration.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(shown(text) + " is longer than " + LONGEST.toDays() + " days");
        }
        return duration;
    }

    private static Duration unbounded(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            String unit = matcher.group(2) == null ? "s" : matcher.group(2);
            return switch (unit) {
                case "ms" -> Duration.ofMillis(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                case "d" -> Duration.ofDays(number);
                default -> Duration.ofSeconds(number);
            };
        }
        try {
            Duration duration = Duration.parse(text);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (DateTimeParseException e) {
            // Said below: most people meant the short form.
        }
        throw new IllegalArgumentException(
                shown(text) + " is not a duration; write seconds, or a number with ms, s, m, h or d, such as 5m");
    }

    /** A URL; {@code https} where the scheme is left out. */
    private static Object uri(String text) {
        try {
            URI uri = URI.create(text.contains("://") ? text : "https://" + text);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Said below, without the parser's positions.
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

    private static Object constant(Class<?> type, String text) {
        Object[] constants = type.getEnumConstants();
        return Arrays.stream(constants)
                .filter(constant -> constant.toString().equalsIgnoreCase(text.replace('-', '_')))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(shown(text) + " is not one of "
                        + Arrays.stream(constants).map(Object::toString).collect(Collectors.joining(", "))));
    }
}
