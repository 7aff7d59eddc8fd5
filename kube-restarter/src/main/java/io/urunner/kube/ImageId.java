package io.urunner.kube;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Extracts the digest from what a container runtime reports as {@code imageID}. The repository in it may belong to
 * another pod that pulled the same content, so it is dropped.
 */
public final class ImageId {
    private static final Pattern DIGEST = Pattern.compile("(?:.*[@/])?(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})");
    private static final Pattern BARE = Pattern.compile("[0-9a-f]{64}");

    private ImageId() {}

    /**
     * Reads the forms of containerd ({@code repository@digest}, {@code digest}), CRI-O ({@code repository@digest}, 64 bare
     * hexadecimal digits) and cri-dockerd ({@code docker-pullable://repository@digest}, {@code docker://digest}).
     *
     * @param imageId what the runtime reports
     * @return the digest as {@code algorithm:hex}; empty for an empty text and for any other form
     */
    public static Optional<String> digest(String imageId) {
        Matcher digest = DIGEST.matcher(imageId);
        if (digest.matches()) {
            return Optional.of(digest.group(1));
        }
        return BARE.matcher(imageId).matches() ? Optional.of("sha256:" + imageId) : Optional.empty();
    }
}
