package io.urunner.agent.plan;

import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** The short forms of things in sentences. */
final class Brief {
    private static final int HEX = 12;

    private Brief() {}

    static String digest(String digest) {
        int colon = digest.indexOf(':');
        int end = colon + 1 + HEX;
        return colon < 0 || digest.length() <= end ? digest : digest.substring(0, end);
    }

    static String digests(Collection<String> digests) {
        return digests.stream().sorted().map(Brief::digest).collect(Collectors.joining(", "));
    }

    static String duration(Duration duration) {
        return duration.toString().substring(2).toLowerCase(Locale.ROOT);
    }
}
