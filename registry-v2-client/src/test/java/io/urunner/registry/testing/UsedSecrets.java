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
 * Notes the secrets that tests use in {@code target/used-secrets.txt} of the module, a line each: at the end of the build no
 * log may hold one of them. Thread-safe.
 */
public final class UsedSecrets {
    private static final Path FILE = Path.of("target", "used-secrets.txt");
    /** What is shorter, or a mere word, may stand in a log for other reasons. */
    private static final Pattern TELLING = Pattern.compile("(?=.*[^A-Za-z]).{8,}");

    private static final Set<String> NOTED = new HashSet<>();

    private UsedSecrets() {}

    /**
     * Notes a secret.
     *
     * @param secret the secret; what is too short to be looked for is left out
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
     * Notes the credential of a request, as it was sent and what it says.
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
                // A test sends what is no credential.
            }
        }
    }
}
