package io.urunner.agent.plan;

import io.urunner.registry.Digest;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** The short forms of things in sentences. */
public final class Brief {
    private static final int HEX = 12;

    private Brief() {}

    /**
     * A digest with its first digits.
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
     * A digest with its first digits.
     *
     * @param digest the digest
     * @return for example {@code sha256:0123456789ab}
     */
    public static String digest(Digest digest) {
        return digest(digest.toString());
    }

    /**
     * When something that waits goes on, as it is told and done everywhere: in whole seconds.
     *
     * @param moment when it may go on
     * @return that, or less than a second later
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
