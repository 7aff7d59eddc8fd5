package io.urunner.registry;

import java.util.List;
import java.util.Optional;

/** A manifest of a type that we do not know. It is only carried, with the content that it seems to refer to. */
final class OtherManifest extends ManifestOrIndex {
    private final List<Descriptor> parts;

    OtherManifest(byte[] content, Descriptor descriptor, List<Descriptor> parts, Optional<Descriptor> subject) {
        super(content, descriptor, subject);
        this.parts = parts;
    }

    @Override
    public List<Descriptor> parts() {
        return parts;
    }
}
