package io.urunner.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What an image runs on, as an index states it ("Image Index", OCI image specification), in the normal form of
 * containerd: {@code x86_64} is {@code amd64}, {@code aarch64} is {@code arm64}, {@code arm} without a variant is
 * {@code v7}, and the variants {@code v8} of {@code arm64} and {@code v1} of {@code amd64} are omitted. Immutable.
 *
 * @param os the operating system, for example {@code linux}
 * @param architecture the architecture, for example {@code amd64}
 * @param variant the variant of the architecture, or the empty text
 * @param osVersion the version of the operating system (Windows), or the empty text
 */
public record Platform(String os, String architecture, String variant, String osVersion) {
    /** Linux on amd64. */
    public static final Platform LINUX_AMD64 = new Platform("linux", "amd64", "", "");

    /** Linux on arm64. */
    public static final Platform LINUX_ARM64 = new Platform("linux", "arm64", "", "");

    private static final String UNKNOWN = "unknown";

    /** Creates a platform from its parts and normalises them. */
    public Platform {
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
    }

    /**
     * Reads a platform.
     *
     * @param text {@code os/architecture[/variant]}, for example {@code linux/arm/v6}
     * @return the platform
     * @throws IllegalArgumentException with the reason, if the text is not a platform
     */
    public static Platform parse(String text) {
        String[] parts = text.strip().split("/", 4);
        if (parts.length < 2 || parts.length > 3) {
            throw new IllegalArgumentException("not a platform: " + ReferenceGrammar.quote(text)
                    + ": write os/architecture[/variant], for example linux/arm64");
        }
        for (String part : parts) {
            if (!part.matches("[a-zA-Z0-9._-]+")) {
                throw new IllegalArgumentException("not a platform: " + ReferenceGrammar.quote(text)
                        + ": its parts may contain only letters, digits, and . _ -");
            }
        }
        return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "", "");
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
     * variant, then the older ones, then its 32-bit family.
     *
     * @param image the image's platform
     * @return 0 for the best match, more for a worse one, -1 if it does not run
     */
    int distanceTo(Platform image) {
        return os.equals(image.os) && sameBuild(osVersion, image.osVersion)
                ? runnable().indexOf(image.architecture + "/" + image.variant)
                : -1;
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

    /** Windows runs images of its own build; the revision after the third dot does not matter. */
    private static boolean sameBuild(String host, String image) {
        return host.isEmpty() || image.isEmpty() || build(host).equals(build(image));
    }

    private static String build(String version) {
        int dots = 0;
        for (int i = 0; i < version.length(); i++) {
            if (version.charAt(i) == '.' && ++dots == 3) {
                return version.substring(0, i);
            }
        }
        return version;
    }

    /** {@code os/architecture[/variant]}. */
    @Override
    public String toString() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }
}
