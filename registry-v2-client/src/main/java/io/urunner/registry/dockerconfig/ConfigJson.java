package io.urunner.registry.dockerconfig;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON with secrets as Go's {@code encoding/json} does, because Docker and the kubelet do: the names of fields
 * count in upper and lower case, of a field that occurs twice the later value counts, two objects {@code auths} are
 * merged, null is nothing, and a byte order mark or data after the end is an error. Its errors name the place or the
 * field, never the content.
 *
 * <p>In one respect it does otherwise: a value of the wrong type spoils only its own entry, not the whole text.
 */
final class ConfigJson {
    /**
     * Anybody may have written a pull secret, which has at most 1 MB. There is room for 10,000 hosts with user and
     * password, and one long entry does not make the others unreadable. Names are not interned.
     */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(100_000)
                    .maxNestingDepth(500)
                    .maxNameLength(64 * 1024)
                    .maxStringLength(512 * 1024)
                    .build())
            .build();

    /** The entries of {@code auths}, by key. */
    final Map<String, Entry> auths = new LinkedHashMap<>();

    /** The names of helpers by key; one that is not a text is empty. */
    final Map<String, Optional<String>> credHelpers = new LinkedHashMap<>();

    /** The name of the helper for all others, or the empty text. */
    String credsStore = "";

    /** The texts of the object itself, such as the answer of a credential helper. */
    final Entry object = new Entry();

    /**
     * Reads a {@code config.json}.
     *
     * @throws IllegalArgumentException if it is not one, with the place, or if it is too large; without a cause
     */
    static ConfigJson config(byte[] json) {
        return new ConfigJson(json, false, true);
    }

    /**
     * Reads a {@code .dockercfg}, which contains only the entries.
     *
     * @throws IllegalArgumentException as for {@link #config}
     */
    static ConfigJson legacy(byte[] json) {
        return new ConfigJson(json, true, false);
    }

    /**
     * Reads an object without names of helpers: a pull secret, where only the entries have a meaning to the kubelet, or
     * the answer of a helper.
     *
     * @throws IllegalArgumentException as for {@link #config}
     */
    static ConfigJson withoutHelpers(byte[] json) {
        return new ConfigJson(json, false, false);
    }

    private ConfigJson(byte[] json, boolean legacy, boolean helpers) {
        String text = new String(json, StandardCharsets.UTF_8);
        if (text.startsWith("\uFEFF")) {
            throw new IllegalArgumentException(
                    "not JSON: it begins with a byte order mark; save it as UTF-8 without one");
        }
        try (JsonParser in = JSON.createParser(text)) {
            if (in.nextToken() == null) {
                throw new IllegalArgumentException("not a JSON object");
            }
            if (isObject(in, "it")) {
                if (legacy) {
                    readEntries(in);
                } else {
                    readFields(in, helpers);
                }
            }
            if (in.nextToken() != null) {
                throw new IllegalArgumentException("not JSON" + at(in.currentTokenLocation()));
            }
        } catch (StreamConstraintsException e) {
            // For example "Token count (100001) exceeds the maximum allowed (100000, from …)".
            throw new IllegalArgumentException(
                    "too large: " + e.getOriginalMessage().replaceFirst(", from .*", ")"));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON" + at(e.getLocation()));
        } catch (IOException e) {
            throw new IllegalArgumentException("not text");
        }
    }

    private static String at(@Nullable JsonLocation location) {
        return location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    private void readFields(JsonParser in, boolean helpers) throws IOException {
        for (String name = nextField(in); name != null; name = nextField(in)) {
            if (name.equals("auths")) {
                if (isObject(in, "its auths")) {
                    readEntries(in);
                } else {
                    auths.clear();
                }
            } else if (helpers && name.equals("credhelpers")) {
                if (isObject(in, "its credHelpers")) {
                    readHelpers(in);
                } else {
                    credHelpers.clear();
                }
            } else if (helpers && name.equals("credsstore")) {
                if (in.hasToken(JsonToken.VALUE_STRING)) {
                    credsStore = in.getText();
                } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
                    throw new IllegalArgumentException("its credsStore is not a string");
                }
            } else {
                readText(in, object, name);
            }
        }
    }

    private void readEntries(JsonParser in) throws IOException {
        while (in.nextToken() != JsonToken.END_OBJECT) {
            Entry entry = new Entry();
            auths.put(in.currentName(), entry);
            in.nextToken();
            if (in.hasToken(JsonToken.START_OBJECT)) {
                for (String name = nextField(in); name != null; name = nextField(in)) {
                    readText(in, entry, name);
                }
            } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
                entry.isNoObject();
                skip(in);
            }
        }
    }

    private static void readText(JsonParser in, Entry entry, String name) throws IOException {
        if (in.hasToken(JsonToken.VALUE_STRING)) {
            entry.put(name, in.getText());
        } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
            entry.putWrong(name);
            skip(in);
        }
    }

    private void readHelpers(JsonParser in) throws IOException {
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String key = in.currentName();
            JsonToken value = in.nextToken();
            if (value == JsonToken.VALUE_NULL) {
                credHelpers.put(key, Optional.of(""));
            } else {
                credHelpers.put(key, value == JsonToken.VALUE_STRING ? Optional.of(in.getText()) : Optional.empty());
                skip(in);
            }
        }
    }

    /** Goes to the value of the next field, and returns the field's name in lower case; null after the last. */
    private static @Nullable String nextField(JsonParser in) throws IOException {
        if (in.nextToken() == JsonToken.END_OBJECT) {
            return null;
        }
        String name = fold(in.currentName());
        in.nextToken();
        return name;
    }

    /** Skips a value. The limit of a text's length holds for it, too. */
    private static void skip(JsonParser in) throws IOException {
        if (in.hasToken(JsonToken.VALUE_STRING)) {
            in.getTextLength();
        }
        in.skipChildren();
    }

    /** Whether here is an object, in contrast to null. */
    private static boolean isObject(JsonParser in, String what) {
        if (in.hasToken(JsonToken.VALUE_NULL)) {
            return false;
        }
        if (!in.hasToken(JsonToken.START_OBJECT)) {
            throw new IllegalArgumentException(
                    what.equals("it") ? "not a JSON object" : what + " is not a JSON object");
        }
        return true;
    }

    /** The name in lower case, by Unicode's simple folding as far as it leads to ASCII. */
    private static String fold(String name) {
        StringBuilder folded = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '\u017f') {
                folded.append('s'); // LATIN SMALL LETTER LONG S
            } else if (c == '\u212a') {
                folded.append('k'); // KELVIN SIGN
            } else {
                folded.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
            }
        }
        return folded.toString();
    }
}
