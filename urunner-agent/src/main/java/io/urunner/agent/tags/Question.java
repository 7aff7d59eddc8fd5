package io.urunner.agent.tags;

import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;

/**
 * A reference that a registry is asked for.
 *
 * @param reference the reference
 * @param asker whose credentials are used: the answer is for them only
 */
public record Question(ImageReference reference, Asker asker) {
    /** An image of the same repository, by its digest only: tags with the same digest share it. */
    Question image(Digest digest) {
        return new Question(reference.toRepository().digest(digest), asker);
    }
}
