package io.urunner.registry.copy;

import io.urunner.registry.BlobSource;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryException;
import io.urunner.registry.Repository;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * Where images are kept: a repository of a registry, or files. A <em>reference</em> is the name of an image there, which
 * for a repository is a tag, or a digest as text. {@code toString} names the store for people.
 *
 * <p>Several threads may use a store at the same time unless {@link #isSequential} says otherwise. A method that fails
 * throws {@link RegistryException} if a registry is the reason, and {@link IOException} if a file is.
 */
public interface ImageStore extends AutoCloseable {
    /**
     * Returns a repository as a store. It uses the client and does not close it.
     *
     * @param client the client
     * @param repository the repository
     * @return the store; closing it has no effect
     */
    static ImageStore of(RegistryClient client, Repository repository) {
        return new RegistryStore(client, repository);
    }

    /**
     * Looks for a manifest or an index without reading it.
     *
     * @param reference a name or a digest
     * @return what it is, empty if it is not there
     * @throws RegistryException if the registry gives no answer or denies access
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    Optional<Descriptor> find(String reference) throws RegistryException, IOException, InterruptedException;

    /**
     * Reads a manifest or an index, and verifies its digest.
     *
     * @param reference a name or a digest
     * @return the content
     * @throws RegistryException if it cannot be read
     * @throws IOException if it is not in the files, or they cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    ManifestOrIndex manifest(String reference) throws RegistryException, IOException, InterruptedException;

    /**
     * Reads what an index lists with a type that is none of {@link io.urunner.registry.MediaType#MANIFESTS}. It may be a
     * manifest of a newer type, or a blob.
     *
     * @param entry the entry of the index
     * @return what {@link ManifestOrIndex#parse(byte[], String, Descriptor)} makes of it; empty if the store has it as a
     *     blob, which is the default
     * @throws RegistryException if the registry has it neither as a manifest nor as a blob, or gives no answer
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    default Optional<ManifestOrIndex> manifest(Descriptor entry)
            throws RegistryException, IOException, InterruptedException {
        return Optional.empty();
    }

    /**
     * Looks for a blob without reading it.
     *
     * @param blob the blob
     * @return whether it is there, with the right size as far as the store can tell
     * @throws RegistryException if the registry gives no answer or denies access
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    boolean hasBlob(Descriptor blob) throws RegistryException, IOException, InterruptedException;

    /**
     * Opens a blob. Size and digest are verified at the end of the stream, where reading throws if they are wrong.
     *
     * @param blob the blob
     * @return its content; the caller closes it
     * @throws RegistryException if it cannot be read
     * @throws IOException if it is not in the files, or they cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    InputStream blob(Descriptor blob) throws RegistryException, IOException, InterruptedException;

    /**
     * Writes a blob, and verifies its size and digest. If that fails, nothing of it is left.
     *
     * @param blob the blob
     * @param content its content; it is opened again if writing starts over
     * @throws RegistryException if the registry does not accept it
     * @throws IOException if it cannot be written, or the content is not that of the blob
     * @throws InterruptedException if the thread is interrupted
     */
    void pushBlob(Descriptor blob, BlobSource content) throws RegistryException, IOException, InterruptedException;

    /**
     * Takes a blob from another store without transferring it.
     *
     * @param blob the blob
     * @param from a store that has it
     * @return whether it is here now; by default false
     * @throws RegistryException if the registry fails
     * @throws IOException if a file cannot be read or written
     * @throws InterruptedException if the thread is interrupted
     */
    default boolean mountBlob(Descriptor blob, ImageStore from)
            throws RegistryException, IOException, InterruptedException {
        return false;
    }

    /**
     * Whether {@link #mountBlob} may take blobs from another store: what a dry run counts as mounted.
     *
     * @param from the other store
     * @return by default false
     */
    default boolean mounts(ImageStore from) {
        return false;
    }

    /**
     * Writes a manifest or an index. What it refers to must be there already.
     *
     * @param reference the name that it gets, or its digest for none
     * @param content the manifest or index
     * @throws RegistryException if the registry does not accept it
     * @throws IOException if it cannot be written
     * @throws InterruptedException if the thread is interrupted
     */
    void pushManifest(String reference, ManifestOrIndex content)
            throws RegistryException, IOException, InterruptedException;

    /**
     * Lists what refers to a manifest, such as signatures (OCI distribution specification, "Listing Referrers").
     *
     * @param subject the digest of the manifest
     * @return the descriptors of all that refer to it
     * @throws RegistryException if the registry gives no answer
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    List<Descriptor> referrers(Digest subject) throws RegistryException, IOException, InterruptedException;

    /**
     * Lists the names of the images.
     *
     * @return the names
     * @throws RegistryException if the registry gives no answer
     * @throws IOException if a file cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    List<String> tags() throws RegistryException, IOException, InterruptedException;

    /**
     * Whether only one thread may write at a time, for example because the result is one file.
     *
     * @return by default false
     */
    default boolean isSequential() {
        return false;
    }

    /**
     * Releases what the store holds, and completes a file that it writes.
     *
     * @throws IOException if that fails
     */
    @Override
    default void close() throws IOException {}
}
