package io.urunner.registry;

import com.fasterxml.jackson.databind.node.TextNode;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an image runs on, as an index states it ("Image Index", OCI image specification), in the normal form of
 * containerd: {@code x86_64} is {@code amd64}, {@code aarch64} is {@code arm64}, {@code arm} without a variant is
 * {@code v7}, and the variants {@code v8} of {@code arm64} and {@code v1} of {@code amd64} are omitted. Immutable.
 *
 * <p>Two platforms are equal if their normal forms are; the order of features does not matter. The words that were
 * replaced are kept among the other fields, so that an index is written back as it was.
 *
 * @param os the operating system, for example {@code linux}
 * @param architecture the architecture, for example {@code amd64}
 * @param variant the variant of the architecture, or the empty text
 * @param osVersion the version of the operating system (Windows), or the empty text
 * @param osFeatures of an image, the features of the operating system that it requires, for example {@code win32k}; of
 *     a machine, those that it has
 * @param otherFields what an index states in addition or in other words, as JSON texts by the fields' names; it does
 *     not count when platforms are compared
 */
public record Platform(
        String os,
        String architecture,
        String variant,
        String osVersion,
        List<String> osFeatures,
        Map<String, String> otherFields) {
    /** Linux on amd64. */
    public static final Platform LINUX_AMD64 = new Platform("linux", "amd64", "", "");

    /** Linux on arm64. */
    public static final Platform LINUX_ARM64 = new Platform("linux", "arm64", "", "");

    /** The longest operating system with its version and features that is parsed. */
    private static final int LONGEST = 500;

    private static final String UNKNOWN = "unknown";
    private static final String WINDOWS = "windows";

    /** The build of Windows Server 2022, the first release whose images run on later hosts, up to Server 2025. */
    private static final long SERVER_2022 = 20348;

    private static final long SERVER_2025 = 26100;

    /** {@code os[(version[+feature]…)]}, as containerd writes it, with escapes in the version and the features. */
    private static final Pattern OS =
            Pattern.compile("([a-zA-Z0-9._-]+)(?:\\(([a-zA-Z0-9._%-]*)((?:\\+[a-zA-Z0-9._%-]+)*)\\))?");

    /**
     * Creates a platform from its parts and normalises them.
     *
     * @throws IllegalArgumentException if one of the other fields is not JSON or has a parameter of its own
     */
    public Platform {
        final String statedOs = os;
        final String statedArchitecture = architecture;
        final String statedVariant = variant;
        os = os.toLowerCase(Locale.ROOT);
        if (os.equals("macos")) {
            os = "darwin";
        }
        architecture = architecture.toLowerCase(Locale.ROOT);
        variant = variant.toLowerCase(Locale.ROOT);
        switch (architecture) {
            case "i386" -> {
                architecture = "386";
                variant = "";
            }
            case "x86_64", "x86-64", "amd64" -> {
                architecture = "amd64";
                variant = variant.equals("v1") ? "" : variant;
            }
            case "aarch64", "arm64" -> {
                architecture = "arm64";
                variant = switch (variant) {
                    case "8", "v8", "v8.0" -> "";
                    case "9", "9.0", "v9.0" -> "v9";
                    default -> variant;
                };
            }
            case "armhf" -> {
                architecture = "arm";
                variant = "v7";
            }
            case "armel" -> {
                architecture = "arm";
                variant = "v6";
            }
            case "arm" ->
                variant = switch (variant) {
                    case "", "7" -> "v7";
                    case "5", "6", "8" -> "v" + variant;
                    default -> variant;
                };
            default -> {}
        }
        osFeatures = List.copyOf(osFeatures);
        Map<String, String> others = new HashMap<>(otherFields);
        keep(others, "os", statedOs, os);
        keep(others, "architecture", statedArchitecture, architecture);
        keep(others, "variant", statedVariant, variant);
        otherFields =
                ManifestJson.checkedOthers(others, Map.of("os.version", "os.version", "os.features", "os.features"));
    }

    private static void keep(Map<String, String> others, String field, String stated, String normal) {
        if (!stated.equals(normal) && !others.containsKey(field)) {
            others.put(field, TextNode.valueOf(stated).toString());
        }
    }

    /**
     * Creates a platform without features and other fields.
     *
     * @param os the operating system
     * @param architecture the architecture
     * @param variant the variant of the architecture, or the empty text
     * @param osVersion the version of the operating system (Windows), or the empty text
     */
    public Platform(String os, String architecture, String variant, String osVersion) {
        this(os, architecture, variant, osVersion, List.of(), Map.of());
    }

    /**
     * Returns the same platform, of a machine that has, or an image that requires, features of the operating system.
     *
     * @param features the features
     * @return the platform
     */
    public Platform withOsFeatures(List<String> features) {
        return new Platform(os, architecture, variant, osVersion, features, otherFields);
    }

    /**
     * Reads a platform.
     *
     * @param text {@code os/architecture[/variant]}, for example {@code linux/arm/v6}. The operating system's version
     *     and features follow it in parentheses, as with containerd: {@code windows(10.0.20348+win32k)/amd64}; other
     *     characters of these two are escaped as in URLs
     * @return the platform
     * @throws IllegalArgumentException with the reason, if the text is not a platform
     */
    public static Platform parse(String text) {
        String[] parts = text.strip().split("/", 4);
        if (parts.length < 2 || parts.length > 3) {
            throw new IllegalArgumentException("not a platform: " + ReferenceGrammar.quote(text)
                    + ": write os/architecture[/variant], for example linux/arm64");
        }
        Matcher system = OS.matcher(parts[0]);
        // A group that repeats takes stack for each repetition.
        boolean valid = parts[0].length() <= LONGEST && system.matches();
        for (int i = 1; i < parts.length; i++) {
            valid &= parts[i].matches("[a-zA-Z0-9._-]+");
        }
        // The version, and the features; neither if there are no parentheses.
        List<String> options = new ArrayList<>();
        if (valid) {
            String listed = system.group(2) == null ? "" : system.group(2) + system.group(3);
            for (String option : listed.split("\\+", -1)) {
                valid &= option.matches("([^%]|%[0-9a-fA-F]{2})*");
                options.add(valid ? URLDecoder.decode(option, StandardCharsets.UTF_8) : "");
            }
        }
        if (!valid) {
            throw new IllegalArgumentException("not a platform: " + ReferenceGrammar.quote(text)
                    + ": its parts may contain only letters, digits, and . _ -, and its version and features also escapes"
                    + " such as %2B");
        }
        return new Platform(
                system.group(1), parts[1], parts.length == 3 ? parts[2] : "", options.remove(0), options, Map.of());
    }

    /**
     * Whether build tools use this for content that runs nowhere (attestations).
     *
     * @return true for {@code unknown/unknown}
     */
    public boolean isUnknown() {
        return os.equals(UNKNOWN) && architecture.equals(UNKNOWN);
    }

    /**
     * How well a machine of this platform runs an image of another one, by containerd's rules: a machine runs its own
     * variant, then the older ones, then its 32-bit family. It must have every feature that the image requires.
     *
     * @param image the image's platform
     * @return 0 for the best match, more for a worse one, -1 if it does not run
     */
    int distanceTo(Platform image) {
        return os.equals(image.os)
                        && (!os.equals(WINDOWS) || runsWindows(osVersion, image.osVersion))
                        && osFeatures.containsAll(image.osFeatures)
                ? runnable().indexOf(image.architecture + "/" + image.variant)
                : -1;
    }

    /**
     * Whether an image for this platform is better than one for another, if a machine runs both equally well: first the
     * one with the higher version of Windows, then the one that uses more features.
     */
    boolean isBetterThan(Platform other) {
        int newer = os.equals(WINDOWS) ? Arrays.compare(numbers(osVersion), numbers(other.osVersion)) : 0;
        return newer != 0 ? newer > 0 : osFeatures.size() > other.osFeatures.size();
    }

    /**
     * Whether a host of a version of Windows ({@code 10.0.20348.2227}) runs an image of another one in its own kernel, by
     * Microsoft's rules as containerd applies them. Up to Server 2019 the builds must be the same; since Server 2022 a
     * host runs every image from the long-term release before it up to its own build. The revision does not matter. Who
     * states no version fits everybody.
     */
    private static boolean runsWindows(String host, String image) {
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

    /** The numbers of a version; of a text that is not one, none. */
    private static long[] numbers(String version) {
        String[] parts = version.matches("[0-9]{1,9}(\\.[0-9]{1,9}){0,7}") ? version.split("\\.", -1) : new String[0];
        long[] numbers = new long[parts.length];
        for (int i = 0; i < parts.length; i++) {
            numbers[i] = Long.parseLong(parts[i]);
        }
        return numbers;
    }

    /** What a machine of this platform runs, as {@code architecture/variant}, best first. */
    private List<String> runnable() {
        var vector = new ArrayList<String>();
        vector.add(architecture + "/" + variant);
        switch (architecture) {
            case "amd64" -> {
                for (int v = version(variant) - 1; v >= 1; v--) {
                    vector.add("amd64/" + (v == 1 ? "" : "v" + v));
                }
                vector.add("386/");
            }
            case "arm" -> addOlderArm(vector, version(variant));
            case "arm64" -> {
                addOlderArm64(vector);
                vector.add("arm/v8");
                addOlderArm(vector, 8);
            }
            default -> {}
        }
        return vector;
    }

    private static void addOlderArm(List<String> vector, int version) {
        for (int v = version - 1; v >= 5; v--) {
            vector.add("arm/v" + v);
        }
    }

    /** Armv9.n runs what Armv8.(n+5) runs, up to Armv8.9, and each also runs the versions below it. */
    private void addOlderArm64(List<String> vector) {
        int dot = variant.indexOf('.');
        int major = version(dot < 0 ? variant : variant.substring(0, dot));
        int minor = dot < 0 ? 0 : version(variant.substring(dot + 1));
        if (major == 9) {
            for (int m = minor - 1; m >= 0; m--) {
                vector.add("arm64/v9" + (m == 0 ? "" : "." + m));
            }
            minor = Math.min(minor + 6, 10);
            major = 8;
        }
        if (major == 8) {
            for (int m = minor - 1; m >= 0; m--) {
                vector.add("arm64/" + (m == 0 ? "" : "v8." + m));
            }
        }
    }

    /** The number in {@code v7} or {@code 7}, 0 if there is none. A number beyond any real processor counts as none. */
    private static int version(String text) {
        String digits = text.startsWith("v") ? text.substring(1) : text;
        return digits.matches("[0-9]{1,2}") ? Integer.parseInt(digits) : 0;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Platform that
                && os.equals(that.os)
                && architecture.equals(that.architecture)
                && variant.equals(that.variant)
                && osVersion.equals(that.osVersion)
                && Set.copyOf(osFeatures).equals(Set.copyOf(that.osFeatures));
    }

    @Override
    public int hashCode() {
        return Objects.hash(os, architecture, variant, osVersion, Set.copyOf(osFeatures));
    }

    /**
     * {@code os[(version[+feature]…)]/architecture[/variant]}, which {@link #parse} reads if system, architecture and
     * variant are usual. The features are sorted, and characters other than letters, digits, and {@code . _ -} are
     * escaped as in URLs.
     */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(escaped(os));
        Set<String> features = new TreeSet<>(osFeatures);
        features.remove("");
        if (!osVersion.isEmpty() || !features.isEmpty()) {
            text.append('(').append(escaped(osVersion));
            for (String feature : features) {
                text.append('+').append(escaped(feature));
            }
            text.append(')');
        }
        text.append('/').append(escaped(architecture));
        return variant.isEmpty()
                ? text.toString()
                : text.append('/').append(escaped(variant)).toString();
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A");
    }
}
