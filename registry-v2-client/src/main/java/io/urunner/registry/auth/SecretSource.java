package io.urunner.registry.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where a secret comes from. It is read for every use, so that a rotated file takes effect without a restart.
 * Implementations are thread-safe and print where they read, never what.
 */
@FunctionalInterface
public interface SecretSource {
    /**
     * Reads the current secret.
     *
     * @return the secret
     * @throws CredentialException if there is no secret to read; the message names the place
     */
    Secret read() throws CredentialException;

    /**
     * Returns a source of a secret that never changes.
     *
     * @param secret the secret
     * @return its source
     */
    static SecretSource of(Secret secret) {
        return Objects.requireNonNull(secret, "secret");
    }

    /**
     * Returns a source that reads the content of a file each time (UTF-8), without surrounding white space.
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
