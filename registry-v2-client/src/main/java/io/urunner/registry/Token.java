package io.urunner.registry;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.auth.Secret;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A bearer token. Immutable. */
final class Token {
    /** How long a token lives that does not state it (distribution, "Token Authentication Specification"). */
    private static final Duration DEFAULT_LIFE = Duration.ofSeconds(60);

    private static final Duration LONGEST_LIFE = Duration.ofDays(1);
    private static final Duration SHORTEST_MARGIN = Duration.ofSeconds(5);
    private static final Duration LONGEST_MARGIN = Duration.ofSeconds(30);

    private final Secret value;
    private final Instant renewAt;

    /**
     * Creates a token.
     *
     * @param renewAt when to request another one, some seconds before it expires
     */
    Token(Secret value, Instant renewAt) {
        this.value = value;
        this.renewAt = renewAt;
    }

    Secret value() {
        return value;
    }

    Instant renewAt() {
        return renewAt;
    }

    /**
     * The token in the answer of a token server.
     *
     * @param root the answer
     * @param serverNow the server's time, to which its timestamps refer
     * @param now our time
     * @throws Violation with the reason, if it contains no token
     */
    static Token parse(JsonNode root, Instant serverNow, Instant now) throws IOException {
        String token = first(root, "token", "access_token");
        return new Token(Secret.of(token), now.plus(usable(life(root, token, serverNow))));
    }

    /** The answer of a token server. */
    static JsonNode read(byte[] content) throws IOException {
        try {
            return Bodies.json(content);
        } catch (JacksonException e) {
            // Its message may quote the token.
            throw new Violation("the token server's answer is not JSON");
        }
    }

    /** The refresh token that came with it, or null. */
    static @Nullable Secret refreshToken(JsonNode root) {
        String text = root.path("refresh_token").asText("");
        return text.isEmpty() ? null : Secret.of(text);
    }

    /** The first field that is not empty: some servers send only one of the two, some leave the other one empty. */
    private static String first(JsonNode root, String... fields) throws IOException {
        for (String field : fields) {
            String value = root.path(field).asText("");
            if (!value.isBlank()) {
                if (!value.matches("[!-~]+")) {
                    throw new Violation(
                            "the token server's " + field + " contains characters that are not allowed in a header");
                }
                return value;
            }
        }
        throw new Violation("the token server's answer has neither token nor access_token");
    }

    private static Duration life(JsonNode root, String token, Instant serverNow) {
        Instant expiry = expiry(token);
        Duration jwt = expiry == null ? null : Duration.between(serverNow, expiry);
        // A number that is too large for a long counts as the largest one.
        long seconds = (long) root.path("expires_in").asDouble(0);
        if (seconds <= 0) {
            return jwt == null || jwt.isNegative() ? DEFAULT_LIFE : jwt;
        }
        Instant issued = issuedAt(root.path("issued_at").asText(""), serverNow);
        Duration life = Duration.between(serverNow, issued.plusSeconds(Math.min(seconds, LONGEST_LIFE.toSeconds())));
        return jwt != null && jwt.compareTo(life) < 0 ? jwt : life;
    }

    /** When the token was issued; never later than now, and ignored if it makes no sense. */
    private static Instant issuedAt(String text, Instant serverNow) {
        if (text.isEmpty()) {
            return serverNow;
        }
        try {
            Instant issued = OffsetDateTime.parse(text).toInstant();
            return issued.isAfter(serverNow) ? serverNow : issued;
        } catch (DateTimeException e) {
            return serverNow;
        }
    }

    /** The part of its life in which a token is used. */
    private static Duration usable(Duration life) {
        if (life.isNegative()) {
            return Duration.ZERO;
        }
        Duration bounded = life.compareTo(LONGEST_LIFE) > 0 ? LONGEST_LIFE : life;
        Duration margin = bounded.dividedBy(10);
        if (margin.compareTo(SHORTEST_MARGIN) < 0) {
            margin = SHORTEST_MARGIN;
        } else if (margin.compareTo(LONGEST_MARGIN) > 0) {
            margin = LONGEST_MARGIN;
        }
        Duration half = bounded.dividedBy(2);
        return bounded.minus(margin.compareTo(half) > 0 ? half : margin);
    }

    /** The value of {@code Authorization} that shows it. */
    String header() {
        return "Bearer " + value.reveal();
    }

    boolean isUsable(Instant now) {
        return now.isBefore(renewAt);
    }

    /** The only field that is read from a token that happens to be a JWT (RFC 7519); others are opaque. */
    private static @Nullable Instant expiry(String token) {
        String[] parts = token.split("\\.", 3);
        if (parts.length < 3) {
            return null;
        }
        try {
            JsonNode expiry =
                    Bodies.json(Base64.getUrlDecoder().decode(parts[1])).path("exp");
            return expiry.isNumber() ? Instant.ofEpochSecond((long) expiry.asDouble()) : null;
        } catch (IOException | IllegalArgumentException | DateTimeException e) {
            return null;
        }
    }
}
