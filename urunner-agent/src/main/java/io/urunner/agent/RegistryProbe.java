package io.urunner.agent;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryPrefix;
import java.util.Optional;

/**
 * What a watched registry is asked, to find out on demand whether it answers.
 *
 * @param registry the registry
 * @param image the image to ask for; empty for the root of its API
 */
public record RegistryProbe(RegistryPrefix registry, Optional<Image> image) {
    /**
     * An image as a namespace sees it: with its own pull secrets, where those are needed.
     *
     * @param reference the image
     * @param namespace a namespace that uses it
     */
    public record Image(ImageReference reference, String namespace) {}
}
