package io.urunner.agent.e2e;

import io.urunner.agent.e2e.HostileRegistry.Answer;
import io.urunner.agent.e2e.HostileRegistry.Exchange;
import io.urunner.registry.testing.TestImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** The answers of a broken, overloaded or hostile registry. */
enum HostileAnswer {
    // Statuses.
    STATUS_204(status(204)),
    STATUS_206(status(206)),
    STATUS_304(status(304)),
    STATUS_400(status(400)),
    STATUS_402(status(402)),
    STATUS_403(status(403)),
    STATUS_404(status(404)),
    STATUS_405(status(405)),
    STATUS_406(status(406)),
    STATUS_408(status(408)),
    STATUS_410(status(410)),
    STATUS_418(status(418)),
    STATUS_421(status(421)),
    STATUS_425(status(425)),
    STATUS_431(status(431)),
    STATUS_451(status(451)),
    STATUS_500(status(500)),
    STATUS_501(status(501)),
    STATUS_502(status(502)),
    STATUS_503(status(503)),
    STATUS_504(status(504)),
    STATUS_599(status(599)),
    STATUS_999(status(999)),
    STATUS_OF_WORDS(raw("HTTP/1.1 two hundred OK\r\n\r\n")),
    STATUS_OF_ANOTHER_PROTOCOL(raw("HTTP/9.9 200 OK\r\n\r\n")),
    STATUS_THAT_NEVER_ENDS(repeated("HTTP/1.1 200 ", "x")),
    CONTINUES_FOR_EVER(repeated("", "HTTP/1.1 100 Continue\r\n\r\n")),
    SWITCHES_PROTOCOLS(raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")),
    ANOTHER_PROTOCOL(raw("220 smtp.example ESMTP\r\n")),
    BYTES(exchange -> exchange.write(new byte[4096])),

    // Limits.
    LIMITED(status(429)),
    LIMITED_FOR_A_DAY(status(429, "Retry-After: 86400")),
    LIMITED_FOR_EVER(status(429, "Retry-After: 99999999999999999999")),
    LIMITED_UNTIL_WORDS(status(429, "Retry-After: when I say so")),
    UNAVAILABLE_FOR_EVER(status(503, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT")),
    NOTHING_LEFT_FOR_EVER(
            good("RateLimit-Limit: 1;w=99999999999", "RateLimit-Remaining: 0", "RateLimit-Reset: 999999999999999")),
    A_LIMIT_IN_THE_YEAR_33658(good("RateLimit-Limit: 100", "RateLimit-Remaining: 1", "RateLimit-Reset: 1000000000000")),
    LESS_THAN_NOTHING_LEFT(good("RateLimit-Limit: -1", "RateLimit-Remaining: -1", "RateLimit-Reset: -1")),

    // Headers.
    A_HEADER_WITHOUT_END(repeated("HTTP/1.1 200 OK\r\nX: ", "x")),
    HEADERS_WITHOUT_END(repeated("HTTP/1.1 200 OK\r\n", "X: x\r\n")),
    A_HEADER_WITHOUT_A_COLON(raw("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n")),
    A_LONG_MEDIA_TYPE(digest(TestImage.image("typed").digest(), "Content-Type: application/" + "x".repeat(200_000))),
    NO_MEDIA_TYPE(digest(TestImage.image("typed").digest())),
    A_DIGEST_THAT_IS_NONE(digest("sha256:garbage", "Content-Type: " + TestImage.OCI_MANIFEST)),
    A_DIGEST_OF_ESCAPES(digest("sha256:\u001b[2J\u009b", "Content-Type: " + TestImage.OCI_MANIFEST)),
    A_LONG_DIGEST(digest("sha256:" + "a".repeat(100_000), "Content-Type: " + TestImage.OCI_MANIFEST)),
    AN_UNKNOWN_DIGEST(digest("md5:" + "a".repeat(32), "Content-Type: " + TestImage.OCI_MANIFEST)),
    A_NEGATIVE_LENGTH(raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")),
    A_HUGE_LENGTH(raw("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n{")),
    A_LENGTH_TOO_LONG(raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")),
    TWO_LENGTHS(raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")),
    MANY_CHALLENGES(status(401, "WWW-Authenticate: " + "Bearer realm=\"http://127.0.0.1:1/\",".repeat(2000) + "x=y")),

    // Bodies.
    AN_EMPTY_BODY(body("")),
    HTML(body("<html><body>Sign in</body></html>")),
    HALF_A_MANIFEST(body("{\"schemaVersion\":2,\"config\":{")),
    OBJECTS(body("{\"x\":[{}" + ",{}".repeat(1_300_000) + "]}")),
    OBJECTS_AS_LAYERS(body("{\"schemaVersion\":2,\"layers\":[{}" + ",{}".repeat(1_300_000) + "]}")),
    OBJECTS_AS_MANIFESTS(body("{\"schemaVersion\":2,\"manifests\":[{}" + ",{}".repeat(1_300_000) + "]}")),
    DEEP_JSON(body("[".repeat(3_000_000))),
    A_LONG_TEXT(body("{\"mediaType\":\"" + "x".repeat(3_900_000) + "\"}")),
    A_LONG_NUMBER(body("{\"schemaVersion\":" + "9".repeat(3_900_000) + "}")),
    ERRORS(error("{\"errors\":[{}" + ",{\"code\":\"X\",\"message\":\"\\u001b[2J\\u202e\"}".repeat(100_000) + "]}")),
    A_BODY_WITHOUT_END(repeated("HTTP/1.1 200 OK\r\n\r\n", "{\"x\":1}")),
    A_BODY_THAT_TRICKLES(trickled("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")),

    // Transfer encodings.
    AN_ENDLESS_CHUNK_HEADER(repeated("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x")),
    A_CHUNK_OF_WORDS(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmuch\r\n")),
    A_HUGE_CHUNK(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n{")),
    A_NEGATIVE_CHUNK(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")),
    SMALL_CHUNKS_WITHOUT_END(repeated("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")),
    TRAILERS_WITHOUT_END(repeated("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "X: x\r\n")),
    AN_UNKNOWN_TRANSFER_ENCODING(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n{}")),
    A_GZIP_BOMB(bomb()),

    // Redirects.
    A_REDIRECT_TO_ITSELF(exchange -> exchange.send(307, "", "Location: " + exchange.path())),
    A_REDIRECT_ON_AND_ON(exchange -> exchange.send(302, "", "Location: " + exchange.path() + "x")),
    A_REDIRECT_TO_NOWHERE(status(301)),
    A_REDIRECT_TO_A_FILE(status(308, "Location: file:///etc/passwd")),
    A_REDIRECT_TO_A_CLOSED_PORT(status(307, "Location: http://127.0.0.1:1/")),
    A_REDIRECT_TO_AN_UNKNOWN_HOST(status(307, "Location: https://nowhere.invalid/")),
    A_LONG_REDIRECT(status(307, "Location: /" + "x".repeat(100_000))),

    // Token servers.
    NO_CHALLENGE(status(401)),
    A_BASIC_CHALLENGE(status(401, "WWW-Authenticate: Basic realm=\"x\"")),
    A_REALM_THAT_IS_A_FILE(status(401, "WWW-Authenticate: Bearer realm=\"file:///etc/passwd\"")),
    A_REALM_AT_A_CLOSED_PORT(status(401, "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/token\"")),
    A_REALM_AT_AN_UNKNOWN_HOST(status(401, "WWW-Authenticate: Bearer realm=\"https://nowhere.invalid/\"")),
    A_TOKEN_SERVER_THAT_CHALLENGES(realm(status(401, "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/\""))),
    A_TOKEN_SERVER_THAT_FAILS(realm(status(500))),
    A_TOKEN_SERVER_THAT_HANGS(realm(Exchange::hang)),
    A_TOKEN_WITHOUT_END(realm(repeated("HTTP/1.1 200 OK\r\n\r\n{\"token\":\"", "x"))),
    A_TOKEN_OF_LINES(realm(exchange -> exchange.send(200, "{\"token\":\"a\\r\\nX: y\"}"))),
    A_TOKEN_FOR_EVER(realm(exchange -> exchange.send(200, "{\"token\":\"x\",\"expires_in\":9223372036854775807}"))),
    NO_TOKEN(realm(exchange -> exchange.send(200, "{}"))),

    // Connections.
    CLOSES(exchange -> {}),
    RESETS(Exchange::reset),
    RESETS_AMID_HEADERS(exchange -> {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Ty");
        exchange.reset();
    }),
    RESETS_AMID_THE_BODY(exchange -> {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
        exchange.reset();
    }),
    HANGS(Exchange::hang),
    HANGS_AMID_HEADERS(exchange -> {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Ty");
        exchange.hang();
    }),
    HANGS_AMID_THE_BODY(exchange -> {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
        exchange.hang();
    }),
    HEADERS_THAT_TRICKLE(trickled("HTTP/1.1 200 OK\r\nX: ")),

    // TLS. If a loopback registry answers the first handshake, the client uses TLS from then on.
    TLS_REFUSES(exchange -> exchange.write(new byte[] {21, 3, 3, 0, 2, 2, 40})),
    TLS_GARBAGE(exchange -> {
        exchange.write(new byte[] {22, 3, 3, 64, 0});
        exchange.write(new byte[16384]);
    }),
    TLS_WITHOUT_END(exchange -> {
        exchange.write(new byte[] {22, 3, 3, 64, 0});
        exchange.repeat("\u0002\u0000", 100_000_000L);
    }),
    TLS_HANGS(exchange -> {
        exchange.write(new byte[] {22});
        exchange.hang();
    }),
    TLS_OF_AN_UNKNOWN_AUTHORITY(certificate("127.0.0.1")),
    TLS_OF_ANOTHER_HOST(certificate("other.example")),

    // Lies.
    ANOTHER_DIGEST_EACH_TIME(exchange -> exchange.send(TestImage.image("now " + System.nanoTime()))),
    ANOTHER_MANIFEST_THAN_ITS_DIGEST(exchange -> exchange.send(
            200,
            TestImage.image(exchange.isHead() ? "said" : "meant").manifest(),
            "Content-Type: " + TestImage.OCI_MANIFEST,
            "Docker-Content-Digest: " + TestImage.image("said").digest())),
    AN_INDEX_OF_ITSELF(exchange -> {
        String self = TestImage.image("self").digest();
        exchange.send(
                200,
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" + TestImage.OCI_INDEX + "\",\"digest\":\""
                        + self + "\",\"size\":1}]}",
                "Content-Type: " + TestImage.OCI_INDEX,
                "Docker-Content-Digest: " + self);
    }),
    WELL_AND_ILL_BY_TURNS(byTurns(good(), status(500))),
    WELL_AND_GONE_BY_TURNS(byTurns(good(), Exchange::reset));

    /** More than an agent's heap. */
    private static final long WITHOUT_END = 200_000_000L;

    private final Answer answer;

    HostileAnswer(Answer answer) {
        this.answer = answer;
    }

    boolean isOfTls() {
        return name().startsWith("TLS_");
    }

    /** Makes a registry give this answer: to requests, or to the TLS handshake if that is the hostile part. */
    void of(HostileRegistry registry) {
        if (isOfTls()) {
            registry.handshake(answer);
        } else {
            registry.answer(exchange -> true, answer);
        }
    }

    private static Answer status(int status, String... headers) {
        return exchange -> exchange.send(status, "", headers);
    }

    private static Answer raw(String text) {
        return exchange -> exchange.write(text);
    }

    private static Answer repeated(String start, String text) {
        return exchange -> {
            exchange.write(start);
            exchange.repeat(text, WITHOUT_END);
        };
    }

    private static Answer trickled(String start) {
        return exchange -> {
            exchange.write(start);
            exchange.trickle("x ");
        };
    }

    private static Answer good(String... headers) {
        return exchange -> exchange.send(TestImage.image("good"), headers);
    }

    private static Answer digest(String digest, String... headers) {
        String[] all = new String[headers.length + 1];
        System.arraycopy(headers, 0, all, 1, headers.length);
        all[0] = "Docker-Content-Digest: " + digest;
        return exchange -> exchange.send(200, "{}", all);
    }

    /** A registry without a digest in its answer to HEAD, so that its manifest is read. */
    private static Answer body(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return exchange -> exchange.send(200, bytes, "Content-Type: " + TestImage.OCI_MANIFEST);
    }

    private static Answer error(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return exchange -> exchange.send(403, bytes, "Content-Type: application/json");
    }

    private static Answer bomb() {
        byte[] zeros = new byte[1_000_000];
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            for (int i = 0; i < 200; i++) {
                gzip.write(zeros);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        byte[] bytes = packed.toByteArray();
        return exchange ->
                exchange.send(200, bytes, "Content-Encoding: gzip", "Content-Type: " + TestImage.OCI_MANIFEST);
    }

    /** A registry whose token server, on the same port, gives this answer. */
    private static Answer realm(Answer token) {
        return exchange -> {
            if (exchange.path().startsWith("/token")) {
                token.to(exchange);
            } else {
                exchange.send(
                        401,
                        "",
                        "WWW-Authenticate: Bearer realm=\"http://" + exchange.header("host")
                                + "/token\",service=\"x\"");
            }
        };
    }

    private static Answer byTurns(Answer one, Answer other) {
        AtomicInteger turn = new AtomicInteger();
        return exchange -> (turn.getAndIncrement() % 2 == 0 ? one : other).to(exchange);
    }

    private static Answer certificate(String host) {
        SSLSocketFactory sockets = HostileRegistry.identity(host);
        return exchange -> {
            try (SSLSocket socket = (SSLSocket) sockets.createSocket(exchange.socket(), exchange.in(), true)) {
                socket.startHandshake();
                socket.getOutputStream().write(0);
            }
        };
    }
}
