package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/** Reads images: the manifest for a platform, and the configuration. Thread-safe. */
final class Images {
    /** How many configurations are read to find the one for a platform. */
    private static final int MOST = 8;

    /** Opens a blob. */
    @FunctionalInterface
    interface Opener {
        InputStream open(Repository repository, Descriptor blob) throws RegistryException, InterruptedException;
    }

    private final Manifests manifests;
    private final Opener blobs;

    Images(Manifests manifests, Opener blobs) {
        this.manifests = manifests;
        this.blobs = blobs;
    }

    Manifest manifest(ImageReference image, Platform platform) throws RegistryException, InterruptedException {
        Deadline deadline = manifests.deadline();
        ManifestOrIndex named = manifests.read(image, "read", deadline);
        if (named instanceof Manifest manifest) {
            return manifest;
        }
        Repository repository = image.toRepository();
        FailedRequest what = manifests.what(image, "read");
        Descriptor entry =
                find((Index) named, platform, repository, what, deadline).orElse(null);
        if (entry == null) {
            return byConfig((Index) named, platform, repository, deadline)
                    .orElseThrow(() -> new NotFoundException(what, "the index has no image for " + platform, null));
        }
        if (manifests.read(repository.digest(entry.digest()), "read", deadline) instanceof Manifest manifest) {
            return manifest;
        }
        throw new ProtocolViolationException(what, entry.digest() + " is listed as a manifest but is an index", null);
    }

    private Optional<Descriptor> find(
            Index index, Platform platform, Repository repository, FailedRequest what, Deadline deadline)
            throws RegistryException, InterruptedException {
        try {
            return index.find(platform, entry -> manifests.read(repository.digest(entry.digest()), "read", deadline));
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * The image among the entries without a platform that says in its configuration that it runs on one, as containerd
     * looks for it. Artifacts have no such configuration.
     */
    private Optional<Manifest> byConfig(Index index, Platform platform, Repository repository, Deadline deadline)
            throws RegistryException, InterruptedException {
        List<Descriptor> candidates = index.images().stream()
                .filter(entry -> entry.platform().isEmpty())
                .limit(MOST)
                .toList();
        for (Descriptor entry : candidates) {
            if (manifests.read(repository.digest(entry.digest()), "read", deadline) instanceof Manifest manifest
                    && isImage(manifest)
                    && platform.distanceTo(config(repository, manifest).platform()) >= 0) {
                return Optional.of(manifest);
            }
        }
        return Optional.empty();
    }

    private static boolean isImage(Manifest manifest) {
        String type = manifest.config().mediaType();
        return type.equals(MediaType.OCI_CONFIG) || type.equals(MediaType.DOCKER_CONFIG);
    }

    ImageConfig config(Repository repository, Manifest manifest) throws RegistryException, InterruptedException {
        Descriptor config = manifest.config();
        FailedRequest what = manifests.what(repository.digest(config.digest()), "read the configuration");
        if (config.size() > ImageConfig.MAX_SIZE) {
            throw new ProtocolViolationException(
                    what, "the configuration is larger than " + ImageConfig.MAX_SIZE + " bytes", null);
        }
        try (InputStream content = blobs.open(repository, config)) {
            return ImageConfig.parse(content.readAllBytes());
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            if (e.getCause() instanceof RegistryException failure) {
                throw failure;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException("interrupted while reading a configuration");
            }
            throw new ProtocolViolationException(what, String.valueOf(e.getMessage()), e);
        }
    }
}
