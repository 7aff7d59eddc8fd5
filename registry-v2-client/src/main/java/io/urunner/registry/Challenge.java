package io.urunner.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One challenge of {@code WWW-Authenticate} (RFC 9110, section 11.6.1).
 *
 * @param scheme the scheme in lower case
 * @param parameters the parameters, names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
    static final String BASIC = "basic";
    static final String BEARER = "bearer";

    /**
     * Reads the challenges of all header lines. What is not a challenge is skipped: a registry that also sends one that
     * nobody understands is still usable.
     */
    static List<Challenge> parse(List<String> headers) {
        List<Challenge> challenges = new ArrayList<>();
        for (String header : headers) {
            parse(new HeaderScanner(header), challenges);
        }
        return List.copyOf(challenges);
    }

    private static void parse(HeaderScanner scanner, List<Challenge> challenges) {
        while (true) {
            scanner.skipListSeparators();
            if (scanner.atEnd()) {
                return;
            }
            String scheme = scanner.token();
            if (scheme.isEmpty()) {
                skipElement(scanner);
                continue;
            }
            scanner.skipBlanks();
            challenges.add(new Challenge(scheme.toLowerCase(Locale.ROOT), parameters(scanner)));
        }
    }

    /** Reads parameters up to the end or the next scheme, which is a token without an equals sign after it. */
    private static Map<String, String> parameters(HeaderScanner scanner) {
        Map<String, String> parameters = new LinkedHashMap<>();
        while (true) {
            scanner.skipListSeparators();
            int start = scanner.position();
            String name = scanner.token();
            scanner.skipBlanks();
            if (name.isEmpty() || !scanner.skip('=')) {
                if (name.isEmpty() && !scanner.atEnd()) {
                    skipElement(scanner);
                    continue;
                }
                scanner.reset(start);
                return Map.copyOf(parameters);
            }
            scanner.skipBlanks();
            String value = scanner.quoted();
            if (value == null) {
                value = scanner.until(",");
            }
            parameters.putIfAbsent(name.toLowerCase(Locale.ROOT), value);
        }
    }

    private static void skipElement(HeaderScanner scanner) {
        if (scanner.quoted() == null) {
            scanner.until(",\"");
        }
    }

    boolean isBearer() {
        return scheme.equals(BEARER);
    }

    /** Whether one of several challenges has this scheme. */
    static boolean anyIs(String scheme, List<Challenge> challenges) {
        for (Challenge challenge : challenges) {
            if (challenge.scheme.equals(scheme)) {
                return true;
            }
        }
        return false;
    }

    /** Returns a parameter, or the empty text if it is missing or blank. */
    String parameter(String name) {
        String value = parameters.getOrDefault(name, "");
        return value.isBlank() ? "" : value;
    }

    /** Whether one of several challenges says that the token is valid but does not allow this (RFC 6750, section 3.1). */
    static boolean sayInsufficientScope(List<Challenge> challenges) {
        for (Challenge challenge : challenges) {
            if (challenge.parameter("error").equals("insufficient_scope")) {
                return true;
            }
        }
        return false;
    }
}
