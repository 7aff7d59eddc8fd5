package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;

/** The content of a blob to push. It may be opened again if a push has to start over. */
@FunctionalInterface
public interface BlobSource {
    /**
     * Opens the content from its first byte.
     *
     * @return the content; the caller closes it
     * @throws IOException if it cannot be opened
     */
    InputStream open() throws IOException;
}
