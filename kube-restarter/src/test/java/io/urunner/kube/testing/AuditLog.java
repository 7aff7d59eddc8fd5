package io.urunner.kube.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The API server's own record of its requests. */
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

    /** The current end of the log. */
    public long mark() {
        return files().stream().mapToLong(File::length).sum();
    }

    /** The requests since a mark, of clients whose User-Agent starts with this. */
    public List<Entry> since(long mark, String userAgent) {
        while (true) {
            List<File> files = files();
            List<Entry> entries = read(files, mark, userAgent);
            if (files().size() == files.size()) {
                return entries;
            }
            // The server has started a new file in the meantime.
        }
    }

    /** The oldest first: at 100 MB the server renames the file and starts another one. */
    private List<File> files() {
        String name = file.getFileName().toString();
        String stem = name.substring(0, name.lastIndexOf('.')) + "-";
        File[] old = Objects.requireNonNull(
                file.toAbsolutePath().getParent().toFile().listFiles((folder, other) -> other.startsWith(stem)));
        return Stream.concat(Stream.of(old).sorted(), Stream.of(file.toFile())).toList();
    }

    private static List<Entry> read(List<File> files, long mark, String userAgent) {
        List<Entry> entries = new ArrayList<>();
        long skipped = mark;
        for (File part : files) {
            long length = part.length();
            if (length > skipped) {
                try (InputStream bytes = new FileInputStream(part)) {
                    bytes.skipNBytes(skipped);
                    new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8))
                            .lines()
                            .filter(line -> line.endsWith("}") && line.contains("\"userAgent\":\"" + userAgent))
                            .map(AuditLog::entry)
                            .forEach(entries::add);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            skipped = Math.max(0, skipped - length);
        }
        return entries;
    }

    private static Entry entry(String line) {
        JsonNode json = Cluster.json(line);
        JsonNode object = json.path("objectRef");
        return new Entry(
                json.path("verb").asText(),
                object.path("resource").asText(),
                object.path("namespace").asText(),
                object.path("name").asText(),
                json.path("userAgent").asText(),
                json.path("responseStatus").path("code").asInt(),
                Instant.parse(json.path("requestReceivedTimestamp").asText()));
    }
}
