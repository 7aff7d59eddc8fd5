package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** A repository of a registry. The client belongs to the caller, so there is nothing to close. */
final class RegistryStore implements ImageStore {
    /**
     * What an index lists and what is a blob as a rule, for example in a build cache: it is looked for as a blob first.
     * Whatever else has a type that we do not know is asked for as a manifest first, as the specification expects it
     * there; regclient does the same. Some registries, such as zot, also have their manifests as blobs, so that a blob
     * proves nothing.
     */
    private static final Pattern BLOB = Pattern.compile("\\.(layer|rootfs|config|container)\\.|cacheconfig");

    private final RegistryClient client;
    private final Repository repository;

    RegistryStore(RegistryClient client, Repository repository) {
        this.client = client;
        this.repository = repository;
    }

    private ImageReference image(String reference) {
        return reference.indexOf(':') < 0 ? repository.tag(reference) : repository.digest(Digest.carried(reference));
    }

    @Override
    public Optional<Descriptor> find(String reference) throws RegistryException, InterruptedException {
        return client.find(image(reference));
    }

    @Override
    public ManifestOrIndex manifest(String reference) throws RegistryException, InterruptedException {
        return client.manifest(image(reference));
    }

    @Override
    public Optional<ManifestOrIndex> manifest(Descriptor entry) throws RegistryException, InterruptedException {
        return BLOB.matcher(entry.mediaType()).find() && hasBlob(entry)
                ? Optional.empty()
                : client.manifest(repository, entry);
    }

    /** Whether a registry has read the request, and knows nothing of the content or not what to do with it. */
    static boolean isAnswer(RegistryException e) {
        return Set.of(200, 400, 404, 406, 415, 422, 500).contains(e.status().orElse(0));
    }

    @Override
    public boolean hasBlob(Descriptor blob) throws RegistryException, InterruptedException {
        return client.hasBlob(repository, blob.digest());
    }

    @Override
    public InputStream blob(Descriptor blob) throws RegistryException, InterruptedException {
        return client.blob(repository, blob);
    }

    @Override
    public void pushBlob(Descriptor blob, BlobSource content) throws RegistryException, InterruptedException {
        client.pushBlob(repository, blob, content);
    }

    @Override
    public boolean mountBlob(Descriptor blob, ImageStore from) throws RegistryException, InterruptedException {
        return from instanceof RegistryStore other
                && mounts(from)
                && client.mountBlob(repository, other.repository.name(), blob.digest());
    }

    @Override
    public boolean mounts(ImageStore from) {
        return from instanceof RegistryStore other
                && other.repository.registry().equals(repository.registry())
                && !other.repository.name().equals(repository.name());
    }

    @Override
    public void pushManifest(String reference, ManifestOrIndex content) throws RegistryException, InterruptedException {
        client.pushManifest(image(reference), content);
    }

    @Override
    public List<Descriptor> referrers(Digest subject) throws RegistryException, InterruptedException {
        return client.referrers(repository, subject, Optional.empty()).all();
    }

    @Override
    public List<String> tags() throws RegistryException, InterruptedException {
        return client.tags(repository).all();
    }

    @Override
    public String toString() {
        return repository.toString();
    }
}
