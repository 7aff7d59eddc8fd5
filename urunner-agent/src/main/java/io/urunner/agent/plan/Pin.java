package io.urunner.agent.plan;

import io.urunner.kube.Container;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.util.Optional;

/** Images that we pinned to a digest: {@code repository:tag@digest} in the template, the original text in the state. */
public final class Pin {
    private Pin() {}

    /**
     * The text that pins an image.
     *
     * @param original the image's text before it is pinned
     * @param digest the digest
     * @return the text for the template
     * @throws IllegalArgumentException if one of them cannot be parsed
     */
    public static String text(String original, String digest) {
        return ImageReference.parse(original).withDigest(Digest.parse(digest)).toString();
    }

    /** Whether the policy pins this container: a node that never pulls is not helped by a pin. */
    static boolean wanted(Policy policy, Container container) {
        return policy.ifNotAlways() == Policy.IfNotAlways.PIN
                && container.pullPolicy().equals("IfNotPresent");
    }

    /** The text that a container's image had before we pinned it; empty if its image is not our pin. */
    static Optional<String> originalText(WorkloadState state, Container container) {
        return Optional.ofNullable(state.containers().get(container.name()))
                .flatMap(ContainerState::originalImage)
                .filter(original -> pins(container.image(), original));
    }

    /** Whether a container's image is just what we wrote when we pinned it. */
    static boolean stands(Container container, ContainerState state) {
        try {
            return state.originalImage().isPresent()
                    && state.acted().isPresent()
                    && container
                            .image()
                            .equals(text(
                                    state.originalImage().get(), state.acted().get()));
        } catch (IllegalArgumentException e) {
            return false; // somebody edited the annotation
        }
    }

    private static boolean pins(String image, String original) {
        try {
            ImageReference now = ImageReference.parse(image);
            return now.digest().isPresent() && now.withoutDigest().equals(Optional.of(ImageReference.parse(original)));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
