package io.urunner.registry;

import java.util.List;
import java.util.Locale;

/** The media types of images and artifacts. These are constants, not an enum, because registries also send others. */
public final class MediaType {
    /** An index of the OCI image specification: one image for several platforms. */
    public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

    /** A manifest of the OCI image specification. */
    public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

    /** Docker's manifest list: one image for several platforms. */
    public static final String DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";

    /** Docker's manifest, schema 2. */
    public static final String DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

    /** Docker's obsolete manifest, schema 1. It is recognised and rejected. */
    public static final String DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json";

    /** Docker's obsolete manifest, schema 1, signed. It is recognised and rejected. */
    public static final String DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /** An image's configuration (OCI). */
    public static final String OCI_CONFIG = "application/vnd.oci.image.config.v1+json";

    /** An image's configuration (Docker). */
    public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

    /** A layer, a tar compressed with gzip (OCI). */
    public static final String OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

    /** A layer, a tar compressed with gzip (Docker). */
    public static final String DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /** The empty JSON object, the configuration of artifacts that have none (OCI). */
    public static final String OCI_EMPTY = "application/vnd.oci.empty.v1+json";

    /**
     * What a request for a manifest must accept. If one is missing, registries answer 404, convert the manifest, or
     * choose a platform themselves, and the digest is a different one.
     */
    public static final List<String> MANIFESTS =
            List.of(OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST_LIST, DOCKER_MANIFEST);

    /** The length of the longest media type. */
    static final int LONGEST = 255;

    private static final String NAME = "[a-z0-9][a-z0-9!#$&^_.+-]{0,126}";

    private MediaType() {}

    /**
     * Whether this is the type of an index.
     *
     * @param mediaType a media type without parameters
     * @return true for both kinds of index
     */
    public static boolean isIndex(String mediaType) {
        return mediaType.equals(OCI_INDEX) || mediaType.equals(DOCKER_MANIFEST_LIST);
    }

    /**
     * Whether this is the type of the manifest of one image or artifact.
     *
     * @param mediaType a media type without parameters
     * @return true for OCI's manifest and Docker's schema 2
     */
    public static boolean isManifest(String mediaType) {
        return mediaType.equals(OCI_MANIFEST) || mediaType.equals(DOCKER_MANIFEST);
    }

    static boolean isSchema1(String mediaType) {
        return mediaType.equals(DOCKER_SCHEMA1) || mediaType.equals(DOCKER_SCHEMA1_SIGNED);
    }

    /**
     * Returns the media type that a {@code Content-Type} header names: without parameters, in lower case.
     *
     * @param contentType the header's value
     * @return the media type, or the empty text if the header names none (RFC 6838, section 4.2)
     */
    public static String of(String contentType) {
        int semicolon = contentType.indexOf(';');
        String type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
        type = type.strip().toLowerCase(Locale.ROOT);
        return type.matches(NAME + "/" + NAME) ? type : "";
    }
}
