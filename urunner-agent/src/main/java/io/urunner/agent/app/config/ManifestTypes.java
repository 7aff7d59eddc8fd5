package io.urunner.agent.app.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The media types that manifest requests must accept: without one of them registries return another digest. */
final class ManifestTypes {
    static final String ALL = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json,"
            + " application/vnd.docker.distribution.manifest.list.v2+json,"
            + " application/vnd.docker.distribution.manifest.v2+json";

    private ManifestTypes() {}

    /** The types of a header, in its order, without parameters. */
    static List<String> of(String header) {
        return Arrays.stream(header.split(","))
                .map(type -> type.replaceFirst(";.*", "").strip().toLowerCase(Locale.ROOT))
                .filter(type -> !type.isEmpty())
                .toList();
    }

    /** The types that a header lacks. */
    static List<String> missingFrom(String header) {
        List<String> missing = new ArrayList<>(of(ALL));
        missing.removeAll(of(header));
        return List.copyOf(missing);
    }
}
