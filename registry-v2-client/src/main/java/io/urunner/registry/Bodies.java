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

/** Reads the bodies of answers, up to a sensible size. */
final class Bodies {
    /** The largest error or token answer that is read, in bytes. */
    static final int SMALL = 64 * 1024;

    private static final int MAX_ERRORS = 5;
    private static final int MAX_WORDS = 300;
    private static final Pattern SECRETS =
            Pattern.compile("(?<=://)[^/\\s]+(?=@)|(?i)(?<=(password|passwd|secret|token)=)[^&]+");

    /**
     * Reads JSON from strangers, with limits: 50,000 tokens, which is an index of 2,000 images or a page of as many
     * tags, take 2 MB in addition to their text. Field names are not interned, because there may be a million.
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

    /** The errors in an answer; if they are not in the specified form, its text, if that is short. */
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

    /**
     * A remote party's text, fit for one line of a log: without the user info of URLs, and without what it labels a
     * secret.
     */
    static String printable(String text) {
        return printable(text, MAX_WORDS);
    }

    static String printable(String text, int most) {
        // A secret is recognised by the text around it, so no word is cut in half.
        String bounded = text.length() > 4 * most ? text.substring(0, 4 * most) : text;
        String line = SECRETS.matcher(bounded.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]+", " "))
                .replaceAll("[secret]")
                .strip();
        return line.length() > most ? line.substring(0, Math.max(0, line.lastIndexOf(' ', most))) + "…" : line;
    }
}
