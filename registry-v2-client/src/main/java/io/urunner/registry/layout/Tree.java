package io.urunner.registry.layout;

import java.io.IOException;
import java.io.InputStream;

/** Files by their paths, with slashes. Thread-safe. */
interface Tree {
    /** The size of a file in bytes, or -1 if there is no such regular file. */
    long size(String path) throws IOException;

    /** Opens a file that is there. */
    InputStream open(String path) throws IOException;

    /** Reads a whole file that must be there. */
    default byte[] read(String path, int most) throws IOException {
        long size = size(path);
        if (size < 0 || size > most) {
            throw new IOException(this
                    + (size < 0 ? " has no file " : " has too large a file ")
                    + Shown.of(path)
                    + limit(size, most));
        }
        try (InputStream content = open(path)) {
            return content.readNBytes(most);
        }
    }

    private static String limit(long size, int most) {
        return size < 0 ? "" : ": " + size + " bytes, more than " + most;
    }
}
