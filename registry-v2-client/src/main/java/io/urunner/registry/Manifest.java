package io.urunner.registry;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The manifest of one image or artifact ("Image Manifest", OCI image specification; Docker's schema 2). Immutable;
 * equal if the bytes are.
 */
public final class Manifest extends ManifestOrIndex {
    /** The empty JSON object, the configuration of artifacts that have none ("Guidance for an Empty Descriptor"). */
    public static final Descriptor EMPTY_CONFIG = new Descriptor(
            MediaType.OCI_EMPTY,
            Digest.of("{}".getBytes(StandardCharsets.US_ASCII)),
            2,
            Optional.empty(),
            Optional.empty(),
            Map.of(),
            List.of(),
            Optional.of("e30="),
            Map.of());

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
        return of(config, layers, Optional.empty(), annotations);
    }

    /**
     * Composes an OCI manifest that refers to another one.
     *
     * @param config the configuration, already pushed
     * @param layers the layers, already pushed, the lowest first
     * @param subject what it refers to. Only media type, digest and size are written. The subject need not exist yet
     * @param annotations the annotations to add
     * @return the manifest
     */
    public static Manifest of(
            Descriptor config, List<Descriptor> layers, Optional<Descriptor> subject, Map<String, String> annotations) {
        return ManifestJson.compose(MediaType.OCI_MANIFEST, config, layers, Optional.empty(), subject, annotations);
    }

    /**
     * Composes the manifest of an artifact, such as a signature or a bill of materials, that has no configuration
     * ("Guidelines for Artifact Usage", OCI image specification). Its configuration is {@link #EMPTY_CONFIG}, which
     * must be pushed like any other blob: it is the two characters <code>{}</code>.
     *
     * @param artifactType the artifact's type, a media type
     * @param layers the contents, already pushed. If there are none, {@link #EMPTY_CONFIG} takes their place, because
     *     the specification demands at least one
     * @param subject what it refers to, if anything. Only media type, digest and size are written
     * @param annotations the annotations to add
     * @return the manifest
     * @throws IllegalArgumentException if the type is not a media type
     */
    public static Manifest artifact(
            String artifactType,
            List<Descriptor> layers,
            Optional<Descriptor> subject,
            Map<String, String> annotations) {
        return artifact(artifactType, EMPTY_CONFIG, layers, subject, annotations);
    }

    /**
     * Composes the manifest of an artifact that has a configuration.
     *
     * @param artifactType the artifact's type, a media type
     * @param config the configuration, already pushed
     * @param layers the contents, already pushed. If there are none, {@link #EMPTY_CONFIG} takes their place
     * @param subject what it refers to, if anything. Only media type, digest and size are written
     * @param annotations the annotations to add
     * @return the manifest
     * @throws IllegalArgumentException if the type is not a media type
     */
    public static Manifest artifact(
            String artifactType,
            Descriptor config,
            List<Descriptor> layers,
            Optional<Descriptor> subject,
            Map<String, String> annotations) {
        if (MediaType.of(artifactType).isEmpty()) {
            throw new IllegalArgumentException(
                    "an artifact's type must be a media type, not " + ReferenceGrammar.quote(artifactType));
        }
        return ManifestJson.compose(
                MediaType.OCI_MANIFEST,
                config,
                layers.isEmpty() ? List.of(EMPTY_CONFIG) : layers,
                Optional.of(artifactType),
                subject,
                annotations);
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

    @Override
    public List<Descriptor> parts() {
        List<Descriptor> parts = new ArrayList<>(layers);
        parts.add(0, config);
        return List.copyOf(parts);
    }

    /** The artifact's type; if the manifest does not state one, the media type of the configuration. */
    @Override
    public Optional<String> artifactType() {
        Optional<String> stated = descriptor().artifactType();
        return stated.isPresent() ? stated : Optional.of(config.mediaType());
    }
}
