package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The digest of content, as {@code sha256:…} or {@code sha512:…} (OCI image specification, "Digests"). Immutable.
 *
 * <p>A manifest may also name content by an algorithm that we do not know, such as {@code blake3}. Such a digest is
 * {@linkplain #carried carried}: it can be compared, shown, sent to a registry and written into another manifest. It is
 * not {@linkplain #isVerifiable verifiable}, so content is never read by it.
 *
 * @param algorithm {@link #SHA256}, {@link #SHA512} or the name of another algorithm
 * @param hex the hash in lower-case hexadecimal digits; with another algorithm in the encoding that this defines
 */
public record Digest(String algorithm, String hex) {
    /** The algorithm of almost all digests. */
    public static final String SHA256 = "sha256";

    /** The other registered algorithm. */
    public static final String SHA512 = "sha512";

    private static final int LONGEST = 255;
    private static final Pattern ALGORITHM = Pattern.compile("[a-z0-9]+(?:[+._-][a-z0-9]+)*");
    private static final Pattern ENCODED = Pattern.compile("[a-zA-Z0-9=_-]+");

    /**
     * Creates a digest from its parts.
     *
     * @throws IllegalArgumentException if the parts do not follow the specification's grammar, or the hash does not fit
     *     the algorithm
     */
    public Digest {
        int length = length(algorithm);
        if (length == 0) {
            checkGrammar(algorithm, hex);
        } else if (hex.length() != length || !isLowerHex(hex)) {
            throw new IllegalArgumentException("not a digest: " + algorithm + ": must be followed by " + length
                    + " lower-case hexadecimal digits, not by "
                    + hex.length() + (hex.length() == 1 ? " character " : " characters ")
                    + ReferenceGrammar.quote(hex));
        }
    }

    /** How many digits the hash of an algorithm has, 0 if the algorithm is unknown. */
    private static int length(String algorithm) {
        return switch (algorithm) {
            case SHA256 -> 64;
            case SHA512 -> 128;
            default -> 0;
        };
    }

    private static void checkGrammar(String algorithm, String encoded) {
        if (algorithm.length() + encoded.length() >= LONGEST) {
            throw new IllegalArgumentException("not a digest: it is longer than " + LONGEST + " characters");
        }
        if (!ALGORITHM.matcher(algorithm).matches() || !ENCODED.matcher(encoded).matches()) {
            throw new IllegalArgumentException(
                    "not a digest: " + ReferenceGrammar.quote(algorithm + ":" + encoded) + " is not algorithm:hash");
        }
    }

    /**
     * Reads a digest by which content is requested.
     *
     * @param text {@code algorithm:hex}
     * @return the digest, which is verifiable
     * @throws IllegalArgumentException with the reason, if the text is not a digest or its algorithm is unknown
     */
    public static Digest parse(String text) {
        String algorithm = text.substring(0, colon(text));
        if (length(algorithm) == 0) {
            throw new IllegalArgumentException(
                    "not a digest: the algorithm must be sha256 or sha512, not " + ReferenceGrammar.quote(algorithm));
        }
        return carried(text);
    }

    /**
     * Reads a digest that is only passed on, as in a descriptor of a manifest. Its algorithm may be unknown. The image
     * specification demands this of readers of manifests: an unknown algorithm must not make the rest unreadable.
     *
     * @param text {@code algorithm:hash}, at most 255 characters
     * @return the digest, which may not be {@linkplain #isVerifiable verifiable}
     * @throws IllegalArgumentException with the reason, if the text does not follow the specification's grammar
     */
    public static Digest carried(String text) {
        int colon = colon(text);
        return new Digest(text.substring(0, colon), text.substring(colon + 1));
    }

    private static int colon(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException(
                    "not a digest: " + ReferenceGrammar.quote(text) + " has no colon after the algorithm");
        }
        return colon;
    }

    /**
     * Whether content can be checked against this digest.
     *
     * @return true if the algorithm is {@link #SHA256} or {@link #SHA512}
     */
    public boolean isVerifiable() {
        return length(algorithm) != 0;
    }

    /**
     * Returns the SHA-256 digest of content.
     *
     * @param content the bytes
     * @return their digest
     */
    public static Digest of(byte[] content) {
        return of(SHA256, content);
    }

    /**
     * Returns the digest of content.
     *
     * @param algorithm {@link #SHA256} or {@link #SHA512}
     * @param content the bytes
     * @return their digest
     * @throws IllegalArgumentException if the algorithm is unknown
     */
    public static Digest of(String algorithm, byte[] content) {
        MessageDigest hasher = hasher(algorithm);
        hasher.update(content);
        return of(algorithm, hasher);
    }

    /**
     * Returns the digest that a hasher has computed, and resets the hasher.
     *
     * @param algorithm the algorithm of the hasher
     * @param hasher one from {@link #hasher(String)}, fed with the content
     * @return the digest of the content
     */
    public static Digest of(String algorithm, MessageDigest hasher) {
        return new Digest(algorithm, HexFormat.of().formatHex(hasher.digest()));
    }

    /**
     * Creates a hasher to feed with content piece by piece. Not thread-safe.
     *
     * @param algorithm {@link #SHA256} or {@link #SHA512}
     * @return a new hasher
     * @throws IllegalArgumentException if the algorithm is unknown
     */
    public static MessageDigest hasher(String algorithm) {
        String name = switch (algorithm) {
            case SHA256 -> "SHA-256";
            case SHA512 -> "SHA-512";
            default ->
                throw new IllegalArgumentException(
                        "the algorithm must be sha256 or sha512, not " + ReferenceGrammar.quote(algorithm));
        };
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java runtime lacks " + name, e);
        }
    }

    /**
     * Creates a hasher of this digest's algorithm.
     *
     * @return a new hasher; {@link #matches(MessageDigest)} compares its result
     * @throws IllegalArgumentException if the digest is not {@linkplain #isVerifiable verifiable}; so do all methods
     *     that compare content
     */
    public MessageDigest hasher() {
        return hasher(algorithm);
    }

    /**
     * Whether content has this digest.
     *
     * @param content the bytes
     * @return true if it has
     */
    public boolean matches(byte[] content) {
        return equals(of(algorithm, content));
    }

    /**
     * Whether the content that a hasher was fed with has this digest. The hasher is reset.
     *
     * @param hasher one from {@link #hasher()}
     * @return true if it has
     */
    public boolean matches(MessageDigest hasher) {
        return equals(of(algorithm, hasher));
    }

    /**
     * Whether the content of a stream has this digest. The stream is read to its end and not closed.
     *
     * @param content the stream
     * @return true if it has
     * @throws IOException if reading fails
     */
    public boolean matches(InputStream content) throws IOException {
        MessageDigest hasher = hasher();
        byte[] buffer = new byte[8192];
        for (int n = content.read(buffer); n >= 0; n = content.read(buffer)) {
            hasher.update(buffer, 0, n);
        }
        return matches(hasher);
    }

    /** The text form, {@code algorithm:hash}. */
    @Override
    public String toString() {
        return algorithm + ":" + hex;
    }

    private static boolean isLowerHex(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return false;
            }
        }
        return true;
    }
}
