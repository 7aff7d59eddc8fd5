package io.urunner.registry;

import static io.urunner.registry.HostileServer.body;
import static io.urunner.registry.HostileServer.endless;
import static io.urunner.registry.HostileServer.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.zip.GZIPOutputStream;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM with the options of the agent's image survives reading whatever a host sends. */
class SmallHeapIT {
    private static final int LARGEST = ManifestOrIndex.MAX_SIZE;
    private static final String CHUNKED =
            "HTTP/1.1 200 OK\r\nContent-Type: " + MediaType.OCI_INDEX + "\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    /** The attacks, by the name of the requested repository. */
    private static final Map<String, HostileServer.Answer> ATTACKS = new LinkedHashMap<>();

    static {
        attack("chunk-extension", (target, out) -> {
            text(out, CHUNKED + "1;");
            endless(out, "x");
        });
        attack("chunk-size", (target, out) -> {
            text(out, CHUNKED);
            endless(out, "0");
        });
        attack("chunk-end", (target, out) -> {
            text(out, CHUNKED + "1\r\n ");
            endless(out, "x");
        });
        attack("trailers", (target, out) -> {
            text(out, CHUNKED + "2\r\n{}\r\n0\r\n");
            endless(out, "a:\r\n");
        });
        attack("error-chunk-extension", (target, out) -> {
            text(out, "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1;");
            endless(out, "x");
        });
        attack("status-line", (target, out) -> endless(out, "HTTP/1.1 200 OK"));
        attack("header-line", (target, out) -> {
            text(out, "HTTP/1.1 200 OK\r\nContent-Type: ");
            endless(out, "x");
        });
        attack("headers", (target, out) -> {
            text(out, "HTTP/1.1 200 OK\r\n");
            endless(out, "a:\r\n");
        });
        attack("informational", (target, out) -> endless(out, "HTTP/1.1 100 C\r\n\r\n"));
        attack("body", (target, out) -> {
            text(out, "HTTP/1.1 200 OK\r\n\r\n");
            endless(out, "{");
        });
        attack("error-body", (target, out) -> {
            text(out, "HTTP/1.1 404 No\r\n\r\n{\"errors\":[");
            endless(out, "{},");
        });
        byte[] bomb = zipped(256 << 20);
        attack("zipped", (target, out) -> {
            text(
                    out,
                    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: " + MediaType.OCI_INDEX
                            + "\r\nContent-Length: " + bomb.length + "\r\n\r\n");
            out.write(bomb);
        });
        json("objects", "{\"layers\":[", i -> "{},", "{}]}");
        json("lists", "{\"strange\":[", i -> "[],", "[]]}");
        json("numbers", "[", i -> "1,", "1]");
        json("names", "{", i -> "\"" + Integer.toString(i, 36) + "\":0,", "\"mediaType\":\"\"}");
        json("annotations", "{\"annotations\":{", i -> "\"" + Integer.toString(i, 36) + "\":\"\",", "\"\":\"\"}}");
        json("children", "{\"manifests\":[", i -> entry(), entry().replace(",$", "") + "]}");
        json("text", "{\"mediaType\":\"", i -> "aaaaaaaaaaaaaaaa", "\"}");
        json("name", "{\"", i -> "aaaaaaaaaaaaaaaa", "\":1}");
        json("depth", "", i -> "[", "");
        json("tags", "{\"tags\":[", i -> "\"a\",", "\"a\"]}");
        json("tags-of-objects", "{\"tags\":[", i -> "{\"a\":1},", "{}]}");
    }

    private static void attack(String name, HostileServer.Answer answer) {
        ATTACKS.put(name, answer);
    }

    private static void json(String name, String start, IntFunction<String> part, String end) {
        StringBuilder text = new StringBuilder(start);
        for (int i = 0; text.length() < LARGEST - 300; i++) {
            text.append(part.apply(i));
        }
        byte[] content = text.append(end).toString().getBytes(StandardCharsets.UTF_8);
        attack(name, (target, out) -> body(out, MediaType.OCI_INDEX, content));
    }

    private static String entry() {
        return "{\"mediaType\":\"" + MediaType.OCI_MANIFEST + "\",\"digest\":\"" + DIGEST + "\",\"size\":1},";
    }

    private static byte[] zipped(int size) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream zip = new GZIPOutputStream(bytes)) {
            byte[] zeros = new byte[1 << 16];
            for (int i = 0; i < size; i += zeros.length) {
                zip.write(zeros);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void survivesWhateverAHostSends(boolean tls) throws Exception {
        HandshakeCertificates certificates = new HandshakeCertificates.Builder()
                .heldCertificate(new HeldCertificate.Builder()
                        .addSubjectAlternativeName("127.0.0.1")
                        .build())
                .build();
        HostileServer.Answer answer = (target, out) -> {
            String repository = target.substring("/v2/".length(), target.indexOf('/', 4));
            ATTACKS.get(repository).write(target, out);
        };
        try (HostileServer server = tls
                ? new HostileServer(certificates.sslContext().getServerSocketFactory(), answer)
                : new HostileServer(answer)) {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString()));
            command.add("-XX:+IgnoreUnrecognizedVMOptions"); // some are of a newer JVM than the one that builds
            command.addAll(Files.readAllLines(Path.of("..", "urunner-agent", "image", "jvm.options")));
            command.addAll(List.of(
                    "-cp",
                    System.getProperty("java.class.path"),
                    SmallHeapVictim.class.getName(),
                    server.host(),
                    "" + tls));
            // What a body becomes does not depend on its transport.
            List<String> attacks =
                    ATTACKS.keySet().stream().limit(tls ? 11 : 100).toList();
            command.addAll(attacks);
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(process.waitFor()).as(output).isZero();
            for (String attack : attacks) {
                assertThat(output).contains(attack + ": " + SmallHeapVictim.THREADS + " times read");
            }
        }
    }
}
