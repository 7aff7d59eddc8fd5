package io.urunner.registry.copy;

import io.urunner.registry.Index;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A layout in a tar, which nobody vouches for. Nothing is unpacked: files are found by the names that we look for. An
 * archive is refused as a whole if a path leads out of it, or if a file is in it twice, because another program could
 * read the other one. Thread-safe, once all is there that should be.
 */
class TarStore extends LayoutStore {
    private static final int MOST_ENTRIES = 100_000;
    private static final int MOST_CHARACTERS = 16 * 1024 * 1024;

    /** Layers of docker save were links to those of other images, and we find them by another link. */
    private static final int MOST_LINKS = 6;

    private final Path archive;
    private final Path file;
    private final Map<String, TarReader.Entry> files = new HashMap<>();
    private final Map<String, String> links = new HashMap<>();
    private final Map<String, byte[]> composed = new HashMap<>();
    private @Nullable Index index;
    private int characters;

    /**
     * A store without files.
     *
     * @param archive the archive for messages
     * @param file where its content is
     */
    TarStore(Path archive, Path file) {
        this.archive = archive;
        this.file = file;
    }

    static TarStore of(Path archive) throws IOException {
        TarStore store = new TarStore(archive, archive);
        try (InputStream file = Files.newInputStream(archive)) {
            store.scan(new TarReader(new BufferedInputStream(file), Files.size(archive), archive.toString()));
        }
        return store;
    }

    private void scan(TarReader reader) throws IOException {
        for (TarReader.Entry entry = reader.next(); entry != null; entry = reader.next()) {
            characters += entry.path.length() + entry.link.length();
            if (files.size() + links.size() >= MOST_ENTRIES || characters > MOST_CHARACTERS) {
                throw new IOException(archive + " has more than " + MOST_ENTRIES + " files or " + MOST_CHARACTERS
                        + " characters of names; it is no image");
            }
            boolean isFile = entry.type == TarReader.FILE;
            boolean isSymbolic = entry.type == TarReader.SYMBOLIC_LINK;
            if (!isFile && !isSymbolic && entry.type != TarReader.HARD_LINK) {
                continue;
            }
            String path = normal("", entry.path);
            if (path == null) {
                throw new IOException(archive + " contains the path " + shown(entry.path) + ", which leads out of it");
            }
            boolean twice = files.containsKey(path) || links.containsKey(path);
            if (isFile) {
                files.put(path, entry);
            } else {
                String to = normal(isSymbolic ? path.substring(0, path.lastIndexOf('/') + 1) : "", entry.link);
                // What leads out of the archive leads nowhere.
                link(path, to == null ? path : to);
            }
            if (twice) {
                throw new IOException(archive + " contains " + shown(path) + " twice");
            }
        }
    }

    /** Makes a file known that is in the archive. */
    final void file(String path, long offset, long size) {
        files.put(path, new TarReader.Entry(TarReader.FILE, path, "", offset, size));
    }

    /** Makes a file known by another path. */
    final void link(String path, String to) {
        links.put(path, to);
    }

    /** Adds a file that is not in the archive. */
    final void content(String path, byte[] content) {
        composed.put(path, content);
    }

    @Override
    final Index index() throws IOException {
        Index own = index;
        return own == null ? super.index() : own;
    }

    /** Sets the entries that are read, in place of those in the archive. */
    final void entries(Index entries) {
        index = entries;
    }

    /** A path without dots, or null if it leads out of the archive. */
    static @Nullable String normal(String folder, String path) {
        if (path.startsWith("/") || path.indexOf('\\') >= 0 || path.indexOf('\0') >= 0) {
            return null;
        }
        StringBuilder normal = new StringBuilder();
        for (String part : (folder + path).split("/", -1)) {
            if (part.equals("..")) {
                if (normal.length() == 0) {
                    return null;
                }
                normal.setLength(Math.max(0, normal.lastIndexOf("/")));
            } else if (!part.isEmpty() && !part.equals(".")) {
                normal.append(normal.length() == 0 ? "" : "/").append(part);
            }
        }
        return normal.toString();
    }

    private TarReader.@Nullable Entry entry(String path) {
        String at = path;
        for (int i = 0; i < MOST_LINKS && at != null; i++) {
            TarReader.Entry entry = files.get(at);
            if (entry != null) {
                return entry;
            }
            at = links.get(at);
        }
        return null;
    }

    @Override
    final long size(String path) {
        byte[] own = composed.get(path);
        TarReader.Entry entry = entry(path);
        return own != null ? own.length : entry == null ? -1 : entry.size;
    }

    @Override
    final InputStream open(String path) throws IOException {
        byte[] own = composed.get(path);
        if (own != null) {
            return new ByteArrayInputStream(own);
        }
        TarReader.Entry entry = entry(path);
        if (entry == null) {
            throw new IOException(archive + " has no file " + shown(path));
        }
        InputStream in = Files.newInputStream(file);
        try {
            in.skipNBytes(entry.offset);
            return new Part(in, entry.size);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    @Override
    public final String toString() {
        return archive.toString();
    }

    private static final class Part extends InputStream {
        private final InputStream in;
        private long left;

        Part(InputStream in, long size) {
            this.in = in;
            this.left = size;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            int count = left == 0 ? -1 : in.read(buffer, offset, (int) Math.min(length, left));
            left -= Math.max(0, count);
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
