package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;

/** The content of a blob that is to be pushed. It may be opened again if a push has to start over. */
@FunctionalInterface
public interface BlobSource {
    /**
     * Opens the content from its first byte.
     *
     * @return the content; who called closes it
     * @throws IOException if it cannot be opened
     */
    InputStream open() throws IOException;
}
