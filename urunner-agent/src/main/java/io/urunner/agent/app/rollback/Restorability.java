package io.urunner.agent.app.rollback;

import io.urunner.agent.plan.Brief;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.agent.text.Remedies;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeException;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Index;
import io.urunner.registry.MalformedManifestException;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.Platform;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Asks registries whether they still have digests: the manifest, and for an index the children that the nodes run,
 * because garbage collection can remove the child and leave the index.
 */
final class Restorability {
    /** Maximum number of images of an index to check: each is a request. */
    private static final int MOST = 200;

    private final RegistryClient client;
    private final Set<String> platforms;

    /** {@code platforms} is empty if reading the nodes is not allowed: every child must be there then. */
    private Restorability(RegistryClient client, Set<String> platforms) {
        this.client = client;
        this.platforms = platforms;
    }

    static Restorability of(RegistryClient client, KubeAccess access) {
        try {
            return new Restorability(client, access.nodePlatforms());
        } catch (KubeException e) {
            return new Restorability(client, Set.of());
        }
    }

    /**
     * Whether the registry still has a digest.
     *
     * @param words why not, or why that is unknown; empty text if it has
     * @param known false if the registry did not say
     */
    record Answer(boolean restorable, boolean known, String words) {
        /** {@code yes}, {@code no} or {@code unknown}. */
        String word() {
            return known ? (restorable ? "yes" : "no") : "unknown";
        }
    }

    Answer check(ImageReference tag, String digest) throws InterruptedException {
        try {
            ImageReference image = tag.withDigest(Digest.parse(digest));
            Descriptor found = client.resolve(image);
            if (MediaType.isIndex(found.mediaType()) && client.manifest(image) instanceof Index index) {
                return check(image, index);
            }
            return yes();
        } catch (NotFoundException e) {
            return no("the registry no longer has " + Brief.digest(digest) + " of " + tag);
        } catch (MalformedManifestException e) {
            return new Answer(false, false, tag + " cannot be checked: " + e.getMessage());
        } catch (IllegalArgumentException e) {
            return no(digest + " is not a digest: " + e.getMessage());
        } catch (RegistryException e) {
            return new Answer(false, false, Remedies.of(e));
        }
    }

    private Answer check(ImageReference image, Index index) throws RegistryException, InterruptedException {
        Set<Descriptor> children = new LinkedHashSet<>();
        Map<Digest, ManifestOrIndex> nested = new HashMap<>();
        if (platforms.isEmpty()) {
            children.addAll(index.images());
            children.addAll(index.nested());
        }
        for (String platform : platforms) {
            Optional<Descriptor> child;
            try {
                child = index.find(Platform.parse(platform), entry -> manifest(image, entry, nested));
            } catch (NotFoundException e) {
                return no("the registry no longer has an index within " + brief(image));
            }
            child.ifPresent(children::add);
        }
        if (children.isEmpty()) {
            return no(brief(image) + " has no image for " + String.join(", ", platforms));
        }
        if (children.size() > MOST) {
            return new Answer(
                    false, false, brief(image) + " has more than " + MOST + " images, which is too many to check");
        }
        for (Descriptor child : children) {
            try {
                client.resolve(image.withDigest(child.digest()));
            } catch (NotFoundException e) {
                return no("the registry still has the index " + brief(image) + ", but no longer its image "
                        + child.platform()
                                .map(platform -> "for " + platform + " ")
                                .orElse("")
                        + Brief.digest(child.digest().toString()));
            }
        }
        return yes();
    }

    /** Reads an index within an index, once for all platforms. */
    private ManifestOrIndex manifest(ImageReference image, Descriptor entry, Map<Digest, ManifestOrIndex> nested)
            throws RegistryException, InterruptedException {
        ManifestOrIndex known = nested.get(entry.digest());
        if (known == null) {
            known = client.manifest(image.withDigest(entry.digest()));
            nested.put(entry.digest(), known);
        }
        return known;
    }

    private static String brief(ImageReference image) {
        return image.withoutDigest()
                .map(tag -> new ImageDigest(
                                tag.toString(), image.digest().orElseThrow().toString())
                        .toString())
                .orElseGet(image::toString);
    }

    private static Answer yes() {
        return new Answer(true, true, "");
    }

    private static Answer no(String words) {
        return new Answer(false, true, words);
    }
}
