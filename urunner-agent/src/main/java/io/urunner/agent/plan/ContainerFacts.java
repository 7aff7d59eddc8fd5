package io.urunner.agent.plan;

import io.urunner.registry.ImageReference;
import java.util.Optional;

/** What is known of one container, besides the workload itself. */
public sealed interface ContainerFacts {
    /**
     * A container whose tag is followed.
     *
     * @param reference its reference without a digest, in canonical form (for a container that we pinned: the tag)
     * @param answer what the registry says about the reference
     * @param content what the digest in the answer stands for; read if {@link Planner#unread} says that it is needed
     * @param remembered the digest that the store remembers for this workload, container and reference
     */
    record Tracked(ImageReference reference, Answer answer, Content content, Optional<String> remembered)
            implements ContainerFacts {}

    /**
     * A container that we leave alone.
     *
     * @param why the kind of reason
     * @param words the reason, for people
     */
    record Untracked(Why why, String words) implements ContainerFacts {}

    /** Why a container's tag is not followed. */
    enum Why {
        /** The image's registry is not watched. */
        NO_WATCHED_REGISTRY,
        /** The image names a digest. */
        PINNED,
        /** The image's text is not a reference. */
        UNPARSABLE,
        /** The workload's policy names other containers. */
        EXCLUDED,
        /** The pull policy is not {@code Always}, and the workload's policy says to leave such containers alone. */
        PULL_POLICY
    }
}
