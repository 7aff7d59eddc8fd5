package io.urunner.registry;

import java.util.Objects;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;

/**
 * A handle of an upload that a registry has opened, with which another process can go on ({@link
 * PushOptions#resuming}). Immutable. Some registries sign the location of an upload and accept it from anyone, so {@link
 * #toText} is to be kept like a password; {@link #toString} does not contain it.
 */
public final class UploadSession {
    private static final String VERSION = "upload-1";
    private static final int LONGEST = 16 * 1024;

    private final Repository repository;
    private final Digest digest;
    private final long size;
    private final HttpUrl location;

    UploadSession(Repository repository, Digest digest, long size, HttpUrl location) {
        this.repository = Objects.requireNonNull(repository, "repository");
        this.digest = Objects.requireNonNull(digest, "digest");
        this.size = size;
        this.location = Objects.requireNonNull(location, "location");
    }

    /**
     * Reads a handle that {@link #toText} wrote.
     *
     * @param text the text; blanks around it do not matter
     * @return the handle
     * @throws IllegalArgumentException if it is no such text; the message does not contain it
     */
    public static UploadSession parse(String text) {
        String[] parts = text.length() > LONGEST ? new String[0] : text.strip().split(" ", -1);
        if (parts.length != 5 || !parts[0].equals(VERSION)) {
            throw new IllegalArgumentException("not the text of an upload session of this version");
        }
        @Nullable HttpUrl location = HttpUrl.parse(parts[4]);
        if (location == null || !RateLimitHeaders.isNumber(parts[3])) {
            throw new IllegalArgumentException("not the text of an upload session: its size or location is damaged");
        }
        return new UploadSession(
                Repository.parse(parts[1]), Digest.parse(parts[2]), RateLimitHeaders.saturated(parts[3]), location);
    }

    /**
     * Returns the handle as one line of text, which contains the location of the upload.
     *
     * @return the text, for {@link #parse}
     */
    public String toText() {
        return VERSION + ' ' + repository + ' ' + digest + ' ' + size + ' ' + location;
    }

    /**
     * Returns the repository to which the blob is pushed.
     *
     * @return the repository
     */
    public Repository repository() {
        return repository;
    }

    /**
     * Returns the digest of the blob.
     *
     * @return the digest
     */
    public Digest digest() {
        return digest;
    }

    /**
     * Returns the size of the blob.
     *
     * @return the size in bytes
     */
    public long size() {
        return size;
    }

    HttpUrl location() {
        return location;
    }

    /** Whether this is an upload of a blob to a repository. */
    boolean isOf(Repository other, Descriptor blob) {
        return repository.equals(other) && digest.equals(blob.digest()) && size == blob.size();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UploadSession session && toText().equals(session.toText());
    }

    @Override
    public int hashCode() {
        return toText().hashCode();
    }

    /** The blob and the repository, without the location. */
    @Override
    public String toString() {
        return "upload of " + digest + " (" + size + " bytes) to " + repository;
    }
}
