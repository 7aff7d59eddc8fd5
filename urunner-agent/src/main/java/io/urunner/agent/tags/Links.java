package io.urunner.agent.tags;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import java.util.List;
import java.util.Optional;

/**
 * What a manifest or an index refers to. A digest never names anything else.
 *
 * @param children the manifests and indexes that an index lists, without attestations; first the one that represents all:
 *     that of linux/amd64, if there is one
 * @param config the configuration of an image
 */
public record Links(List<Digest> children, Optional<Descriptor> config) {
    public Links {
        children = List.copyOf(children);
    }
}
