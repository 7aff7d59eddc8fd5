package io.urunner.agent.hooks;

import io.urunner.agent.http.Endpoint;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** How the sender of a hint proves itself. Comparisons take the same time whatever is wrong. */
enum Sender {
    /** The header {@code Authorization} is the secret, by itself or after {@code Bearer}. */
    AUTHORIZATION {
        @Override
        boolean isProven(Endpoint.Request request, byte[] body, Secret secret) {
            String said = request.header("Authorization");
            String credential = said.regionMatches(true, 0, BEARER, 0, BEARER.length())
                    ? said.substring(BEARER.length()).strip()
                    : said;
            return same(said, secret.reveal()) || same(credential, secret.reveal());
        }
    },
    /** The header {@code X-Hub-Signature-256} is the HMAC of the body. */
    SIGNATURE {
        @Override
        boolean isProven(Endpoint.Request request, byte[] body, Secret secret) {
            byte[] key = secret.reveal().getBytes(StandardCharsets.UTF_8);
            String expected = "sha256=" + HexFormat.of().formatHex(hmac(key, body));
            return same(request.header("X-Hub-Signature-256").toLowerCase(Locale.ROOT), expected);
        }
    };

    private static final String BEARER = "Bearer ";
    private static final String HMAC = "HmacSHA256";

    /** Whether a request comes from somebody who knows the secret. */
    abstract boolean isProven(Endpoint.Request request, byte[] body, Secret secret);

    /** Compares in a time that depends on neither of the two: digests of the same length. */
    private static boolean same(String said, String expected) {
        return MessageDigest.isEqual(sha256(said), sha256(expected));
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static byte[] hmac(byte[] key, byte[] body) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(key, HMAC));
            return mac.doFinal(body);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + HMAC, e);
        }
    }
}
