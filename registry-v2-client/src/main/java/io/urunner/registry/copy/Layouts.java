package io.urunner.registry.copy;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Images in files, as stores to copy from and to. A reference is the name that an image has there
 * ({@code org.opencontainers.image.ref.name}, or {@code io.containerd.image.name}, which is preferred), or a digest; the
 * empty text is the only image, and as a target an image without a name.
 *
 * <p>Files are not trusted: nothing is unpacked, every blob is read by its digest and verified, and names, sizes and
 * numbers are bounded.
 */
public final class Layouts {
    private Layouts() {}

    /**
     * Returns an OCI image layout in a folder ("Image Layout", OCI image specification), to read or to write. What is
     * missing is created when the first image is written. Existing blobs stay, so a copy continues where an earlier one
     * stopped. Symbolic links are followed, because build tools make layouts of them. Several threads may use the store,
     * but only one process at a time may write to the folder. A layout without the file {@code oci-layout} is read, as
     * skopeo and crane do; one of another version than 1 is refused.
     *
     * @param folder the folder, which need not exist
     * @return the store; there is nothing to close
     */
    public static ImageStore folder(Path folder) {
        return new FolderStore(folder);
    }

    /**
     * Opens an archive to read: an OCI image layout in a tar, or what {@code docker save} writes. If it is both, as with
     * Docker 25 and later, it is read as a layout, because only that has the original manifests.
     *
     * <p>An archive of an older Docker has no manifests. They are composed, as OCI manifests with the layers as they are in
     * the archive, mostly uncompressed: the same archive always has the same digest, but not the one that the image had in
     * a registry. The names are those that {@code docker save} was given.
     *
     * @param archive the file; it is not compressed as a whole
     * @return the store; it holds no open file, so there is nothing to close
     * @throws IOException if it cannot be read, or is no such archive
     */
    public static ImageStore readArchive(Path archive) throws IOException {
        TarStore files = TarStore.of(archive);
        if (files.size(LayoutStore.INDEX) < 0) {
            SavedImages.compose(files);
        }
        return files;
    }

    /**
     * Creates an archive with an OCI image layout. It appears in its place, complete, when the store is closed; if no image
     * was written by then, or if something could not be written, it does not appear. The same images make the same bytes.
     *
     * @param archive the file, which is replaced if it exists
     * @return the store; the caller closes it. For one thread
     * @throws IOException if it cannot be created
     */
    public static ImageStore writeArchive(Path archive) throws IOException {
        return ArchiveWriter.create(archive, false);
    }

    /**
     * Creates an archive that {@code docker load} reads. It is also an OCI image layout, as with Docker 25 and later.
     * Layers stay compressed, which {@code docker load} accepts. It contains images, and no indexes: choose a platform.
     *
     * @param archive the file, which is replaced if it exists
     * @return the store, whose references are names with tags such as {@code nginx:1.27}; the caller closes it. For one
     *     thread
     * @throws IOException if it cannot be created
     */
    public static ImageStore writeDockerArchive(Path archive) throws IOException {
        return ArchiveWriter.create(archive, true);
    }
}
