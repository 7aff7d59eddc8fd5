package io.urunner.registry;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The manifest of one image or artifact ("Image Manifest", OCI image specification; Docker's schema 2). Immutable;
 * equal if the bytes are.
 */
public final class Manifest extends ManifestOrIndex {
    private final Descriptor config;
    private final List<Descriptor> layers;

    Manifest(
            byte[] content,
            Descriptor descriptor,
            Descriptor config,
            List<Descriptor> layers,
            Optional<Descriptor> subject) {
        super(content, descriptor, subject);
        this.config = config;
        this.layers = List.copyOf(layers);
    }

    /**
     * Composes an OCI manifest of an image to push.
     *
     * @param config the configuration, already pushed
     * @param layers the layers, already pushed, the lowest first
     * @param annotations the annotations to add
     * @return the manifest
     */
    public static Manifest of(Descriptor config, List<Descriptor> layers, Map<String, String> annotations) {
        return ManifestJson.compose(config, layers, annotations);
    }

    /**
     * Returns the image's configuration. Its digest is the image ID, which some container runtimes report instead of
     * the manifest's digest.
     *
     * @return the descriptor of the configuration
     */
    public Descriptor config() {
        return config;
    }

    /**
     * Returns the layers.
     *
     * @return their descriptors, the lowest first
     */
    public List<Descriptor> layers() {
        return layers;
    }

    /** The artifact's type; if the manifest does not state one, the media type of the configuration. */
    @Override
    public Optional<String> artifactType() {
        return descriptor().artifactType().or(() -> Optional.of(config.mediaType()));
    }
}
