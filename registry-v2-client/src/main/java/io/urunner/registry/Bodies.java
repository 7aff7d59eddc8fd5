package io.urunner.registry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import okhttp3.Response;

/** Reads the bodies of answers, never more of them than is sensible. */
final class Bodies {
    /** The most of an error or token answer that is read, in bytes. */
    static final int SMALL = 64 * 1024;

    private static final int MAX_ERRORS = 5;
    private static final int MAX_WORDS = 300;
    private static final Pattern SECRETS =
            Pattern.compile("(?<=://)[^/\\s]+(?=@)|(?i)(?<=(password|passwd|secret|token)=)[^&]+");

    /**
     * Reads the JSON of strangers. What becomes of it is bounded: 50,000 tokens, which are an index of 2,000 images or a page
     * of as many tags, take 2 MB beside their text. Field names are not kept for the next time: there may be a million.
     */
    static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxTokenCount(50_000)
                            .maxNestingDepth(64)
                            .maxNameLength(1000)
                            .maxStringLength(128 * 1024)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Bodies() {}

    static byte[] read(Response response, int limit) throws IOException {
        if (response.body().contentLength() > limit) {
            throw tooLarge(limit);
        }
        return read(response.body().byteStream(), limit);
    }

    static byte[] read(InputStream body, int limit) throws IOException {
        byte[] content = body.readNBytes(limit + 1);
        if (content.length > limit) {
            throw tooLarge(limit);
        }
        return content;
    }

    private static Violation tooLarge(int limit) {
        return new Violation("the answer has more than " + limit + " bytes");
    }

    static JsonNode json(byte[] content) throws IOException {
        return JSON.readTree(content);
    }

    /** The errors that an answer names; one that names none in the specified form yields its text, if it is short. */
    static List<OciError> errors(Response response) {
        byte[] content;
        try {
            content = response.body().byteStream().readNBytes(SMALL);
        } catch (IOException e) {
            // The status says enough; an answer that breaks off must not hide it.
            return List.of();
        }
        return errors(content);
    }

    static List<OciError> errors(byte[] content) {
        List<OciError> errors = new ArrayList<>();
        try {
            JsonNode root = JSON.readTree(content);
            for (JsonNode error : root == null ? List.<JsonNode>of() : root.path("errors")) {
                String code = error.path("code").asText("");
                if (!code.isEmpty() && errors.size() < MAX_ERRORS) {
                    errors.add(new OciError(
                            printable(code), printable(error.path("message").asText(""))));
                }
            }
        } catch (IOException e) {
            // Proxies and some registries answer with plain text or a page.
            return text(content);
        }
        return List.copyOf(errors);
    }

    private static List<OciError> text(byte[] content) {
        String text = new String(content, StandardCharsets.UTF_8).strip();
        return text.isEmpty() || text.startsWith("<") || text.length() > MAX_WORDS
                ? List.of()
                : List.of(new OciError("UNKNOWN", printable(text)));
    }

    /** What a remote party wrote, fit for one line of a log: without user info of URLs, and what it calls a secret. */
    static String printable(String text) {
        return printable(text, MAX_WORDS);
    }

    static String printable(String text, int most) {
        // Who shows it knows a secret by what is around it: none is cut in half, so no word is.
        String bounded = text.length() > 4 * most ? text.substring(0, 4 * most) : text;
        String line = SECRETS.matcher(bounded.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]+", " "))
                .replaceAll("[secret]")
                .strip();
        return line.length() > most ? line.substring(0, Math.max(0, line.lastIndexOf(' ', most))) + "…" : line;
    }
}
