package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** Short forms for use in sentences. */
public final class Brief {
    private static final int HEX = 12;

    private Brief() {}

    /**
     * Shortens a digest to its first digits.
     *
     * @param digest the digest
     * @return for example {@code sha256:0123456789ab}
     */
    public static String digest(String digest) {
        int colon = digest.indexOf(':');
        int end = colon + 1 + HEX;
        return colon < 0 || digest.length() <= end ? digest : digest.substring(0, end);
    }

    /**
     * Shortens a digest to its first digits.
     *
     * @param digest the digest
     * @return for example {@code sha256:0123456789ab}
     */
    public static String digest(Digest digest) {
        return digest(digest.toString());
    }

    /**
     * Rounds the time at which something that waits continues to whole seconds, as it is reported and done everywhere.
     *
     * @param moment when it may continue
     * @return that time, or less than a second later
     */
    public static Instant end(Instant moment) {
        return moment.plusNanos(999_999_999).truncatedTo(ChronoUnit.SECONDS);
    }

    static String digests(Collection<String> digests) {
        return digests.stream().sorted().map(Brief::digest).collect(Collectors.joining(", "));
    }

    static String duration(Duration duration) {
        return duration.toString().substring(2).toLowerCase(Locale.ROOT);
    }
}
