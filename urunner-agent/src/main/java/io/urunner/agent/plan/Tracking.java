package io.urunner.agent.plan;

import io.urunner.agent.plan.ContainerFacts.Untracked;
import io.urunner.agent.plan.ContainerFacts.Why;
import io.urunner.kube.Container;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import java.util.Optional;
import java.util.function.Predicate;

/** Determines which reference a container follows, or why none. */
public sealed interface Tracking {
    /**
     * It follows a tag.
     *
     * @param reference the reference, with a tag and without a digest
     */
    record Follows(ImageReference reference) implements Tracking {}

    /**
     * It follows nothing.
     *
     * @param untracked why, ready for {@link Facts}
     */
    record Ignored(Untracked untracked) implements Tracking {}

    /**
     * Determines what one container follows.
     *
     * @param workload the workload
     * @param container one of its containers
     * @param policy the workload's policy
     * @param watched which references are in a watched registry
     * @return what it follows
     */
    static Tracking of(Workload workload, Container container, Policy policy, Predicate<ImageReference> watched) {
        if (!policy.containers().isEmpty() && !policy.containers().contains(container.name())) {
            return ignored(Why.EXCLUDED, "urunner.io/containers or the settings name other containers");
        }
        ImageReference image;
        try {
            image = ImageReference.parse(container.image());
        } catch (IllegalArgumentException e) {
            return ignored(Why.UNPARSABLE, e.getMessage() == null ? "not an image reference" : e.getMessage());
        }
        Optional<ImageReference> pinnedByUs =
                Pin.originalText(workload, States.of(workload), container).map(ImageReference::parse);
        if (image.digest().isPresent() && pinnedByUs.isEmpty()) {
            return ignored(Why.PINNED, "the image names a digest, so it always stays the same");
        }
        ImageReference reference = pinnedByUs.orElse(image);
        if (!watched.test(reference)) {
            return ignored(
                    Why.NO_WATCHED_REGISTRY,
                    "no watched registry has " + reference + "; to follow it, add " + reference.registry()
                            + " under registries");
        }
        if (!container.pullPolicy().equals("Always") && policy.ifNotAlways() == Policy.IfNotAlways.SKIP) {
            return ignored(
                    Why.PULL_POLICY,
                    "imagePullPolicy is " + container.pullPolicy() + ", and urunner.io/if-not-always is skip");
        }
        return new Follows(reference);
    }

    private static Ignored ignored(Why why, String words) {
        return new Ignored(new Untracked(why, words));
    }
}
