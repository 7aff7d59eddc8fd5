package io.urunner.registry;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Deletes a tag alone where a registry only deletes digests, with every tag that they have (docker-registry 2.8): the
 * tag is moved to a placeholder that has no other tag, and that is deleted. Thread-safe.
 */
final class TagDeletion {
    /** The answers of registries that delete no tags. */
    private static final Set<Integer> NO_TAGS = Set.of(400, 405, 501);

    private static final byte[] EMPTY = "{}".getBytes(StandardCharsets.US_ASCII);

    private final Manifests manifests;
    private final Blobs blobs;

    TagDeletion(Manifests manifests, Blobs blobs) {
        this.manifests = manifests;
        this.blobs = blobs;
    }

    /**
     * Deletes a tag.
     *
     * @param unique a text that no other placeholder contains
     */
    void delete(Repository repository, ImageReference tag, String unique)
            throws RegistryException, InterruptedException {
        try {
            manifests.delete(repository, tag.tagOrDigest());
        } catch (ProtocolViolationException e) {
            if (!NO_TAGS.contains(e.status().orElse(0))) {
                throw e;
            }
            try {
                replaceAndDelete(repository, tag, unique, e);
            } catch (RegistryException failure) {
                if (failure != e) {
                    failure.addSuppressed(e);
                }
                throw failure;
            }
        }
    }

    private void replaceAndDelete(
            Repository repository, ImageReference tag, String unique, ProtocolViolationException refusal)
            throws RegistryException, InterruptedException {
        ManifestOrIndex original;
        try {
            original = manifests.read(tag, "delete", manifests.deadline());
        } catch (ProtocolViolationException e) {
            refusal.addSuppressed(e);
            throw refusal;
        }
        Manifest placeholder = placeholder(original, tag, unique);
        requireDeletion(repository, placeholder.digest(), refusal);
        blobs.push(repository, placeholder.config(), () -> new ByteArrayInputStream(EMPTY), PushOptions.DEFAULTS);
        manifests.push(tag, placeholder, manifests.deadline());
        boolean deleted = false;
        try {
            manifests.delete(repository, placeholder.digest().toString());
            deleted = true;
        } finally {
            if (!deleted) {
                manifests.push(tag, original, manifests.deadline());
            }
        }
    }

    /**
     * Fails if a registry deletes nothing at all, before anything is changed. One that would, says of a digest that it
     * does not have that it does not have it.
     */
    private void requireDeletion(Repository repository, Digest absent, ProtocolViolationException refusal)
            throws RegistryException, InterruptedException {
        try {
            manifests.delete(repository, absent.toString());
        } catch (NotFoundException e) {
            return;
        } catch (ProtocolViolationException e) {
            throw new ProtocolViolationException(
                    refusal.request(), "the registry deletes neither tags nor manifests; allow deletion there", e);
        }
    }

    /** A manifest of the same family, because old registries know only Docker's. */
    private static Manifest placeholder(ManifestOrIndex original, ImageReference tag, String unique) {
        boolean docker = original.mediaType().equals(MediaType.DOCKER_MANIFEST)
                || original.mediaType().equals(MediaType.DOCKER_MANIFEST_LIST);
        String type = docker ? MediaType.DOCKER_CONFIG : MediaType.OCI_EMPTY;
        Map<String, String> annotations = Map.of(
                "io.urunner.placeholder", "in place of the tag " + tag.tagOrDigest() + ", to be deleted " + unique);
        return ManifestJson.compose(
                docker ? MediaType.DOCKER_MANIFEST : MediaType.OCI_MANIFEST,
                Descriptor.of(type, EMPTY),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                annotations);
    }
}
