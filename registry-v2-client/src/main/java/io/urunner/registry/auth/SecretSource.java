package io.urunner.registry.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where a secret comes from. It is read for every use, so that a mounted file that rotates takes effect without a
 * restart. Implementations are thread-safe and print where they read, never what.
 */
@FunctionalInterface
public interface SecretSource {
    /**
     * Reads the secret as it is now.
     *
     * @return the secret
     * @throws CredentialException if there is none to read, with the place in its message
     */
    Secret read() throws CredentialException;

    /**
     * A secret that never changes.
     *
     * @param secret the secret
     * @return its source
     */
    static SecretSource of(Secret secret) {
        return Objects.requireNonNull(secret, "secret");
    }

    /**
     * The content of a file without the white space around it, read anew each time (UTF-8).
     *
     * @param file the file
     * @return its source
     */
    static SecretSource file(Path file) {
        Objects.requireNonNull(file, "file");
        return new SecretSource() {
            @Override
            public Secret read() throws CredentialException {
                String text;
                try {
                    text = Files.readString(file).strip();
                } catch (IOException e) {
                    throw new CredentialException("cannot read the secret file " + file + ": " + e, true, e);
                }
                if (text.isEmpty()) {
                    throw new CredentialException("the secret file " + file + " is empty", true);
                }
                return Secret.of(text);
            }

            @Override
            public String toString() {
                return "file " + file;
            }
        };
    }
}
