package io.urunner.registry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.regex.Pattern;
import okhttp3.Response;

/** Reads the bodies of answers, up to a sensible size. */
final class Bodies {
    /** The largest error or token answer that is read, in bytes. */
    static final int SMALL = 64 * 1024;

    private static final int MAX_WORDS = 300;
    /** User info in URLs, what is labelled a secret in a query or in JSON, and values of {@code Authorization}. */
    private static final Pattern SECRETS = Pattern.compile("(?i)(?<=://)[^/\\s]+(?=@)"
            + "|(?<=(password|passwd|secret|token)=)[^&]+"
            + "|(?<=\"\\w{0,20}(password|passwd|secret|token)\"\\s?:\\s?\")[^\"]+"
            + "|(?<=\\b(bearer|basic)\\s)(?=[^\\s\",;]*[0-9])[\\w+/=.~-]{12,}");

    /**
     * What has an effect or is not seen: controls, marks that change the direction of reading, separators, private and
     * unassigned characters; invisible letters, marks and symbols that Unicode counts among the visible ones; and more
     * accents on one letter than any language uses, which cover other lines.
     */
    private static final Pattern HARMFUL = Pattern.compile(
            "[\\p{C}\\p{Zl}\\p{Zp}[\\p{Zs}&&[^ ]]\\x{034F}\\x{115F}\\x{1160}\\x{17B4}\\x{17B5}\\x{180B}-\\x{180F}"
                    + "\\x{2800}\\x{3164}\\x{FFA0}\\x{FE00}-\\x{FE0F}\\x{E0000}-\\x{E0FFF}]+|(?<=\\p{M}{4})\\p{M}+");

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

    /**
     * A remote party's text, fit for one line of a log or a terminal: without characters that have an effect or are not
     * seen, without the user info of URLs, and without what it labels a secret.
     */
    static String printable(String text) {
        return printable(text, MAX_WORDS);
    }

    static String printable(String text, int most) {
        // A secret is recognised by the text around it, so no word is cut in half.
        String bounded = text.length() > 4 * most ? text.substring(0, 4 * most) : text;
        String line = SECRETS.matcher(HARMFUL.matcher(bounded).replaceAll(" "))
                .replaceAll("[secret]")
                .strip();
        if (line.length() <= most) {
            return line;
        }
        int end = Math.max(line.lastIndexOf(' ', most), line.lastIndexOf(",\"", most));
        return line.substring(0, Math.max(0, end)) + "…";
    }
}
