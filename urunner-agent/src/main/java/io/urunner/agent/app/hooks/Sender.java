package io.urunner.agent.app.hooks;

import io.urunner.agent.app.http.Endpoint;
import io.urunner.registry.auth.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** How the sender of a hint authenticates. Comparisons take constant time. */
enum Sender {
    /** The header {@code Authorization} is the secret, by itself or after {@code Bearer}. */
    AUTHORIZATION(1024 * 1024) {
        @Override
        boolean mayBeProven(Endpoint.Request head, Secret secret) {
            return isProven(head, secret);
        }

        @Override
        boolean isProven(Endpoint.Request request, Secret secret) {
            String said = request.header("Authorization");
            String credential = said.regionMatches(true, 0, BEARER, 0, BEARER.length())
                    ? said.substring(BEARER.length()).strip()
                    : said;
            return same(said, secret.reveal()) || same(credential, secret.reveal());
        }
    },
    /** The header {@code X-Hub-Signature-256} is the HMAC of the body, which is short, because it is read before it is verified. */
    SIGNATURE(256 * 1024) {
        @Override
        boolean mayBeProven(Endpoint.Request head, Secret secret) {
            return HMAC_OF_BODY.matcher(signature(head)).matches();
        }

        @Override
        boolean isProven(Endpoint.Request request, Secret secret) {
            byte[] key = secret.reveal().getBytes(StandardCharsets.UTF_8);
            return same(signature(request), "sha256=" + HexFormat.of().formatHex(hmac(key, request.body())));
        }

        private String signature(Endpoint.Request request) {
            return request.header("X-Hub-Signature-256").toLowerCase(Locale.ROOT);
        }
    };

    private static final String BEARER = "Bearer ";
    private static final String HMAC = "HmacSHA256";
    private static final Pattern HMAC_OF_BODY = Pattern.compile("sha256=[0-9a-f]{64}");

    private final int longestBody;

    Sender(int longestBody) {
        this.longestBody = longestBody;
    }

    /** The maximum size of the body. */
    int longestBody() {
        return longestBody;
    }

    /** Returns false if the head of the request shows that the sender does not know the secret. */
    abstract boolean mayBeProven(Endpoint.Request head, Secret secret);

    /** Tells whether the sender of the request knows the secret. */
    abstract boolean isProven(Endpoint.Request request, Secret secret);

    /** Compares digests of equal length, in constant time. */
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
