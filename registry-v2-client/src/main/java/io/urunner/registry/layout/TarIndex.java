package io.urunner.registry.layout;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files in a tar, which nobody vouches for. Nothing is unpacked: files are found by the names that we look for. An
 * archive is refused as a whole if a path leads out of it, or if a file is in it twice, because another program could
 * read the other one. Immutable and thread-safe.
 */
final class TarIndex implements Tree {
    private static final int MOST_ENTRIES = 100_000;
    private static final int MOST_CHARACTERS = 16 * 1024 * 1024;

    /** Layers of docker save were links to those of other images. */
    private static final int MOST_LINKS = 5;

    private record Place(long offset, long size) {}

    private final Path archive;
    private final Map<String, Place> files = new HashMap<>();
    private final Map<String, String> links = new HashMap<>();
    private int characters;

    private TarIndex(Path archive) {
        this.archive = archive;
    }

    static TarIndex of(Path archive) throws IOException {
        TarIndex index = new TarIndex(archive);
        try (InputStream file = Files.newInputStream(archive)) {
            index.scan(new TarReader(new BufferedInputStream(file), Files.size(archive), archive.toString()));
        }
        return index;
    }

    private void scan(TarReader reader) throws IOException {
        for (TarReader.Entry entry = reader.next(); entry != null; entry = reader.next()) {
            characters += entry.path().length() + entry.link().length();
            if (files.size() + links.size() >= MOST_ENTRIES || characters > MOST_CHARACTERS) {
                throw new IOException(archive + " has more than " + MOST_ENTRIES + " files or " + MOST_CHARACTERS
                        + " characters of names; it is no image");
            }
            if (entry.kind() == TarReader.Kind.OTHER) {
                continue;
            }
            String path = normal("", entry.path());
            if (path == null) {
                throw new IOException(
                        archive + " contains the path " + Shown.of(entry.path()) + ", which leads out of it");
            }
            boolean twice = entry.kind() == TarReader.Kind.FILE
                    ? files.put(path, new Place(entry.offset(), entry.size())) != null || links.containsKey(path)
                    : addLink(path, entry) || files.containsKey(path);
            if (twice) {
                throw new IOException(archive + " contains " + Shown.of(path) + " twice");
            }
        }
    }

    private boolean addLink(String path, TarReader.Entry entry) {
        String folder =
                entry.kind() == TarReader.Kind.SYMBOLIC_LINK ? path.substring(0, path.lastIndexOf('/') + 1) : "";
        String to = normal(folder, entry.link());
        // What leads out of the archive leads nowhere.
        return to != null && links.put(path, to) != null;
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

    private @Nullable Place place(String path) {
        String at = path;
        for (int i = 0; i < MOST_LINKS && at != null; i++) {
            Place place = files.get(at);
            if (place != null) {
                return place;
            }
            at = links.get(at);
        }
        return null;
    }

    @Override
    public long size(String path) {
        Place place = place(path);
        return place == null ? -1 : place.size();
    }

    @Override
    public InputStream open(String path) throws IOException {
        Place place = place(path);
        if (place == null) {
            throw new IOException(archive + " has no file " + Shown.of(path));
        }
        InputStream file = Files.newInputStream(archive);
        try {
            file.skipNBytes(place.offset());
            return new Part(file, place.size());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public String toString() {
        return archive.toString();
    }

    private static final class Part extends FilterInputStream {
        private long left;

        Part(InputStream file, long size) {
            super(file);
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
        public long skip(long bytes) throws IOException {
            long skipped = in.skip(Math.min(bytes, left));
            left -= skipped;
            return skipped;
        }

        @Override
        public int available() {
            return 0;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
