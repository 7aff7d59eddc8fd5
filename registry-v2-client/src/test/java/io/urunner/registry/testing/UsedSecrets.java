package io.urunner.registry.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import okhttp3.mockwebserver.RecordedRequest;

/**
 * Records the secrets that tests use in {@code target/used-secrets.txt} of the module, one per line: at the end of the
 * build, no log may contain any of them. Thread-safe.
 */
public final class UsedSecrets {
    private static final Path FILE = Path.of("target", "used-secrets.txt");
    /** A shorter text, or a mere word, may appear in a log for other reasons. */
    private static final Pattern TELLING = Pattern.compile("(?=.*[^A-Za-z]).{8,}");

    private static final Set<String> NOTED = new HashSet<>();

    private UsedSecrets() {}

    /**
     * Records a secret.
     *
     * @param secret the secret; ignored if it is too short to search for
     */
    public static synchronized void add(String secret) {
        if (!TELLING.matcher(secret).matches() || !NOTED.add(secret)) {
            return;
        }
        try {
            Files.createDirectories(FILE.getParent());
            Files.writeString(FILE, secret + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Records the credential of a request, as sent and decoded.
     *
     * @param request the request
     */
    public static void sentWith(RecordedRequest request) {
        String authorization = request.getHeader("Authorization");
        if (authorization == null) {
            return;
        }
        String credential = authorization.replaceFirst("^(Basic|Bearer) ", "");
        add(credential);
        if (authorization.startsWith("Basic ")) {
            try {
                String pair = new String(Base64.getDecoder().decode(credential), StandardCharsets.UTF_8);
                add(pair.substring(pair.indexOf(':') + 1));
            } catch (IllegalArgumentException e) {
                // A test sends something that is not a credential.
            }
        }
    }
}
