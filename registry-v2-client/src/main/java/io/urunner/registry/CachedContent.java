package io.urunner.registry;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** What a client does with its cache, if it has one. Thread-safe. */
final class CachedContent {
    static final CachedContent NONE = new CachedContent(null);

    private final @Nullable ContentCache cache;

    CachedContent(@Nullable ContentCache cache) {
        this.cache = cache;
    }

    private byte @Nullable [] get(Digest digest) {
        byte[] content = cache == null ? null : cache.get(digest).orElse(null);
        return content != null && digest.matches(content) ? content : null;
    }

    /** The manifest that a reference pins, or null. */
    @Nullable ManifestOrIndex manifest(ImageReference image) {
        Digest digest = image.digest().orElse(null);
        byte[] content = digest == null ? null : get(digest);
        if (digest == null || content == null) {
            return null;
        }
        try {
            return ManifestJson.parse(content.clone(), "", digest);
        } catch (MalformedManifestException e) {
            return null; // a configuration that was read as a blob
        }
    }

    ManifestOrIndex keep(ManifestOrIndex read) {
        if (cache != null && statesItsType(read)) {
            cache.put(read.digest(), read.content());
        }
        return read;
    }

    /** A manifest may rely on the header for its type, which is not kept. */
    private static boolean statesItsType(ManifestOrIndex read) {
        return ManifestJson.parse(read.content(), "", read.digest()).mediaType().equals(read.mediaType());
    }

    @Nullable InputStream blob(Descriptor blob) {
        byte[] content = blob.size() > ContentCache.LARGEST_BLOB ? null : get(blob.digest());
        return content != null && content.length == blob.size() ? new ByteArrayInputStream(content) : null;
    }

    /** Keeps a blob when it has been read to its end, where it is verified. */
    InputStream keep(Descriptor blob, InputStream content) {
        return cache == null || blob.size() > ContentCache.LARGEST_BLOB ? content : new Kept(cache, blob, content);
    }

    private static final class Kept extends FilterInputStream {
        private final ContentCache cache;
        private final Descriptor blob;
        private final ByteArrayOutputStream read = new ByteArrayOutputStream();

        Kept(ContentCache cache, Descriptor blob, InputStream content) {
            super(content);
            this.cache = cache;
            this.blob = blob;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = in.read(buffer, offset, length);
            if (count > 0) {
                read.write(buffer, offset, count);
            } else if (count < 0 && read.size() == blob.size()) {
                cache.put(blob.digest(), read.toByteArray());
            }
            return count;
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = 0;
            while (skipped < count && read() >= 0) {
                skipped++;
            }
            return skipped;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
