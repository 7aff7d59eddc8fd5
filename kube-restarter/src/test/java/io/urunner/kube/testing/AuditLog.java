package io.urunner.kube.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The API server's own record of who asked what. */
public final class AuditLog {
    private final Path file;

    public AuditLog(Path file) {
        this.file = file;
    }

    /** A request as the API server saw it. */
    public record Entry(
            String verb,
            String resource,
            String namespace,
            String name,
            String userAgent,
            int status,
            Instant received) {}

    /** Where the log ends now. */
    public long mark() {
        return file.toFile().length();
    }

    /** What was asked since a mark, by clients whose User-Agent starts with this. */
    public List<Entry> since(long mark, String userAgent) {
        List<Entry> entries = new ArrayList<>();
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
            log.seek(mark);
            byte[] bytes = new byte[Math.toIntExact(log.length() - mark)];
            log.readFully(bytes);
            for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n")) {
                if (line.isEmpty() || !line.endsWith("}")) {
                    continue;
                }
                JsonNode json = Cluster.json(line);
                if (json.path("userAgent").asText().startsWith(userAgent)) {
                    JsonNode object = json.path("objectRef");
                    entries.add(new Entry(
                            json.path("verb").asText(),
                            object.path("resource").asText(),
                            object.path("namespace").asText(),
                            object.path("name").asText(),
                            json.path("userAgent").asText(),
                            json.path("responseStatus").path("code").asInt(),
                            Instant.parse(json.path("requestReceivedTimestamp").asText())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return entries;
    }
}
