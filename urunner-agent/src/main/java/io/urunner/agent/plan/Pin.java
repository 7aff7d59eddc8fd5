package io.urunner.agent.plan;

import io.urunner.kube.Container;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Repository;
import java.util.Optional;
import java.util.Set;

/** Handles images that we pinned to a digest: {@code repository:tag@digest} in the template, the original text in the state. */
public final class Pin {
    /** The field managers of {@code kubectl rollout undo}. */
    private static final Set<String> UNDO = Set.of("kubectl", "kubectl-rollout");

    /** The names that Docker and the kubelet replace by {@code docker.io}. */
    private static final Set<String> DOCKERS_OWN = Set.of("docker.io", "index.docker.io");

    private Pin() {}

    /**
     * Returns the text that pins an image. It has the canonical form, except that a further name of Docker Hub ({@code
     * registry-1.docker.io/…}) stays as it is written: to the container runtime that is another host, which may have its
     * own mirror and pull secret.
     *
     * @param original the image's text before it is pinned
     * @param digest the digest
     * @return the text for the template
     * @throws IllegalArgumentException if one of them cannot be parsed
     */
    public static String text(String original, String digest) {
        ImageReference pinned = ImageReference.parse(original).withDigest(Digest.parse(digest));
        return isFurtherNameOfDockerHub(original, pinned)
                ? withTag(original, pinned) + "@" + digest
                : pinned.toString();
    }

    private static String tagText(String pinned, ImageReference tag) {
        return isFurtherNameOfDockerHub(pinned, tag) ? withTag(pinned, tag) : tag.toString();
    }

    private static boolean isFurtherNameOfDockerHub(String written, ImageReference canonical) {
        String host = written.substring(0, Math.max(0, written.indexOf('/')));
        return !DOCKERS_OWN.contains(host)
                && !host.equals(canonical.registry())
                && Repository.canonicalRegistry(host).equals(canonical.registry());
    }

    private static String withTag(String written, ImageReference canonical) {
        String name = written.replaceFirst("@.*", "");
        return name.lastIndexOf(':') > name.lastIndexOf('/') || canonical.tag().isEmpty()
                ? name
                : name + ":" + canonical.tag().get();
    }

    /** Whether the policy pins this container: a pin does not help a node that never pulls. */
    static boolean wanted(Policy policy, Container container) {
        return policy.ifNotAlways() == Policy.IfNotAlways.PIN
                && container.pullPolicy().equals("IfNotPresent");
    }

    /** The text of a container's image before we pinned it; empty if its image is not our pin. */
    static Optional<String> originalText(Workload workload, WorkloadState state, Container container) {
        return Optional.ofNullable(state.containers().get(container.name()))
                .flatMap(ContainerState::originalImage)
                .filter(original -> pins(container.image(), original))
                .or(() -> broughtBack(workload, state, container).map(tag -> tagText(container.image(), tag)));
    }

    /**
     * Returns the tag of a pin of ours that is in the template again although we have acted on another digest since: an
     * undo, or an old manifest, restored the old template, including the annotation that we wrote into it. A digest that
     * somebody chose comes with the annotation of what we last acted on.
     *
     * @return the tag; empty if the image is not such a pin
     */
    static Optional<ImageReference> broughtBack(Workload workload, WorkloadState state, Container container) {
        Optional<ContainerState> written =
                Optional.ofNullable(state.containers().get(container.name()));
        Optional<String> acted = written.flatMap(ContainerState::acted);
        return pinned(container)
                .filter(image -> written.map(ContainerState::reference).equals(Optional.of(image.reference())))
                .filter(image -> acted.isPresent() && !acted.equals(Optional.of(image.digest())))
                .filter(image -> States.digests(workload)
                        .digest(container.name(), image.reference())
                        .equals(Optional.of(image.digest())))
                .map(image -> ImageReference.parse(image.reference()));
    }

    /**
     * Whether a pin of ours came back and stays: if the policy pins, the next push is pinned like any other.
     *
     * @param state what was done for the container and the reference that it has now
     */
    static boolean isBack(Workload workload, Container container, ContainerState state, Policy policy) {
        return !wanted(policy, container)
                && broughtBack(workload, States.with(WorkloadState.EMPTY, container.name(), state), container)
                        .isPresent();
    }

    /** The tag and the digest of an image that names both. */
    static Optional<ImageDigest> pinned(Container container) {
        try {
            ImageReference image = ImageReference.parse(container.image());
            return image.withoutDigest()
                    .flatMap(tag -> image.digest().map(digest -> new ImageDigest(tag.toString(), digest.toString())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * Whether somebody put the tag back into a container that we pinned.
     *
     * @param container the container as it is
     * @param state what was done for it and the reference that it has now
     */
    static boolean isTakenBack(Container container, ContainerState state) {
        return state.originalImage().isPresent() && container.image().indexOf('@') < 0;
    }

    /** Whether somebody put the tag back into a container that was pinned. */
    static boolean isTakenBack(Workload workload, String container, ContainerState state) {
        return workload.containers().stream()
                .anyMatch(each -> each.name().equals(container) && isTakenBack(each, state));
    }

    /**
     * Returns who puts the tag back where the policy pins, and would do so again, so that it is not pinned again. This does
     * not include an undo, which reverts one rollout as a whole; the next push is rolled out.
     *
     * @param workload the workload as it is
     * @param container one of its containers
     * @param state what was done for it and the reference that it has now
     * @param policy the workload's policy
     * @return the field manager; empty if pins are not wanted, or last as far as we know
     */
    static Optional<String> opponent(Workload workload, Container container, ContainerState state, Policy policy) {
        if (!wanted(policy, container) || !isTakenBack(container, state)) {
            return Optional.empty();
        }
        if (isKnownNotToLast(state)) {
            return state.rejectedBy();
        }
        String manager = States.lastManager(workload);
        boolean whole = !States.digests(workload)
                .digest(container.name(), state.reference())
                .equals(state.acted());
        return Optional.of(manager).filter(name -> !whole || !UNDO.contains(name));
    }

    /** Whether the state records that somebody puts the tag back: then our own digest is the rejected one. */
    static boolean isKnownNotToLast(ContainerState state) {
        return state.originalImage().isPresent() && isRejected(state);
    }

    /** Whether a container's image is exactly what we wrote when we pinned it. */
    static boolean stands(Container container, ContainerState state) {
        try {
            return state.originalImage().isPresent()
                    && state.acted().isPresent()
                    && container
                            .image()
                            .equals(text(
                                    state.originalImage().get(), state.acted().get()));
        } catch (IllegalArgumentException e) {
            return false; // somebody edited the annotation
        }
    }

    /** Whether the state records that our digest is not what the template says. */
    static boolean isRejected(ContainerState state) {
        return state.rejectedBy().isPresent()
                && state.rejected().isPresent()
                && state.rejected().equals(state.acted());
    }

    private static boolean pins(String image, String original) {
        try {
            ImageReference now = ImageReference.parse(image);
            return now.digest().isPresent() && now.withoutDigest().equals(Optional.of(ImageReference.parse(original)));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
