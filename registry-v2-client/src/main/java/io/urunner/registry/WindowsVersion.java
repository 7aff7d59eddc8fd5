package io.urunner.registry;

import java.util.Arrays;

/**
 * Versions of Windows as platforms state them, {@code 10.0.20348.2227}: which images a host runs in its own kernel, by
 * Microsoft's rules as containerd applies them.
 */
final class WindowsVersion {
    /** Windows Server 2022, the first release whose images run on later hosts, up to Server 2025. */
    private static final long SERVER_2022 = 20348;

    private static final long SERVER_2025 = 26100;

    private WindowsVersion() {}

    /**
     * Whether a host runs an image. Up to Server 2019 the builds must be the same; since Server 2022 a host runs every
     * image from the long-term release before it up to its own build. The revision does not matter. Who states no
     * version fits everybody.
     */
    static boolean runs(String host, String image) {
        long[] own = numbers(host);
        long[] other = numbers(image);
        if (image.isEmpty() || own.length < 3) {
            return true;
        }
        if (other.length < 3 || own[0] != other[0] || own[1] != other[1]) {
            return false;
        }
        long oldest = own[2] < SERVER_2022 ? own[2] : own[2] > SERVER_2025 ? SERVER_2025 : SERVER_2022;
        return oldest <= other[2] && other[2] <= own[2];
    }

    /** Compares two versions number by number. None is lower than any. */
    static int compare(String left, String right) {
        return Arrays.compare(numbers(left), numbers(right));
    }

    /** The numbers of a version; of a text that is not one, none. */
    private static long[] numbers(String version) {
        return version.matches("[0-9]{1,9}(\\.[0-9]{1,9}){0,7}")
                ? Arrays.stream(version.split("\\.", -1))
                        .mapToLong(Long::parseLong)
                        .toArray()
                : new long[0];
    }
}
