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
     * Anybody may have written a pull secret. There is room for 10,000 hosts with user and password, and for a token of
     * 128 kB in base64. Names are not interned.
     */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(100_000)
                    .maxNestingDepth(64)
                    .maxNameLength(1000)
                    .maxStringLength(256 * 1024)
                    .build())
            .build();

    /** What a {@code config.json} says; a helper that is not a text is empty. */
    record Config(Map<String, Entry> auths, Map<String, Optional<String>> credHelpers, String credsStore) {}

    private final JsonParser in;

    private ConfigJson(JsonParser in) {
        this.in = in;
    }

    /** Reads one value; the parser is at its first token, and afterwards at its last. */
    @FunctionalInterface
    private interface Value<T> {
        T read(ConfigJson json) throws IOException;
    }

    /** Takes the value of a field, whose name is in lower case. */
    @FunctionalInterface
    private interface Field {
        void read(String name) throws IOException;
    }

    /**
     * Reads a {@code config.json}.
     *
     * @throws IllegalArgumentException if it is not one, with the place, or if it is too large; without a cause
     */
    static Config config(byte[] json) {
        return read(json, ConfigJson::readConfig);
    }

    /**
     * Reads a {@code .dockercfg}, which contains only the entries.
     *
     * @throws IllegalArgumentException as for {@link #config}
     */
    static Map<String, Entry> legacy(byte[] json) {
        return read(json, text -> {
            Map<String, Entry> entries = new LinkedHashMap<>();
            if (text.isObject("it")) {
                text.readEntries(entries);
            }
            return entries;
        });
    }

    /**
     * Reads the entries of a pull secret; its other fields have no meaning to the kubelet.
     *
     * @throws IllegalArgumentException as for {@link #config}
     */
    static Map<String, Entry> secret(byte[] json) {
        return read(json, text -> {
            Map<String, Entry> auths = new LinkedHashMap<>();
            if (text.isObject("it")) {
                text.readFields(name -> {
                    if (name.equals("auths")) {
                        text.readAuths(auths);
                    } else {
                        text.skip();
                    }
                });
            }
            return auths;
        });
    }

    /**
     * Reads an object with texts, such as the answer of a credential helper.
     *
     * @throws IllegalArgumentException as for {@link #config}
     */
    static Entry object(byte[] json) {
        return read(json, text -> {
            text.isObject("it");
            return text.readEntry();
        });
    }

    private static <T> T read(byte[] json, Value<T> value) {
        String text = new String(json, StandardCharsets.UTF_8);
        if (text.startsWith("\uFEFF")) {
            throw new IllegalArgumentException(
                    "not JSON: it begins with a byte order mark; save it as UTF-8 without one");
        }
        try (JsonParser in = JSON.createParser(text)) {
            if (in.nextToken() == null) {
                throw new IllegalArgumentException("not a JSON object");
            }
            T result = value.read(new ConfigJson(in));
            if (in.nextToken() != null) {
                throw new IllegalArgumentException("not JSON" + at(in.currentTokenLocation()));
            }
            return result;
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

    private Config readConfig() throws IOException {
        Map<String, Entry> auths = new LinkedHashMap<>();
        Map<String, Optional<String>> credHelpers = new LinkedHashMap<>();
        StringBuilder credsStore = new StringBuilder();
        if (isObject("it")) {
            readFields(name -> {
                switch (name) {
                    case "auths" -> readAuths(auths);
                    case "credhelpers" -> {
                        if (isObject("its credHelpers")) {
                            readHelpers(credHelpers);
                        } else {
                            credHelpers.clear();
                        }
                    }
                    case "credsstore" -> readStore(credsStore);
                    default -> skip();
                }
            });
        }
        return new Config(auths, credHelpers, credsStore.toString());
    }

    private void readAuths(Map<String, Entry> auths) throws IOException {
        if (isObject("its auths")) {
            readEntries(auths);
        } else {
            auths.clear();
        }
    }

    private void readStore(StringBuilder credsStore) throws IOException {
        if (in.hasToken(JsonToken.VALUE_STRING)) {
            credsStore.setLength(0);
            credsStore.append(in.getText());
        } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
            throw new IllegalArgumentException("its credsStore is not a string");
        }
    }

    private void readEntries(Map<String, Entry> entries) throws IOException {
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String key = in.currentName();
            in.nextToken();
            entries.put(key, readEntry());
        }
    }

    private void readHelpers(Map<String, Optional<String>> helpers) throws IOException {
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String key = in.currentName();
            JsonToken value = in.nextToken();
            if (value == JsonToken.VALUE_NULL) {
                helpers.put(key, Optional.of(""));
            } else {
                helpers.put(key, value == JsonToken.VALUE_STRING ? Optional.of(in.getText()) : Optional.empty());
                skip();
            }
        }
    }

    private Entry readEntry() throws IOException {
        Entry entry = new Entry();
        if (in.hasToken(JsonToken.START_OBJECT)) {
            readFields(name -> {
                if (in.hasToken(JsonToken.VALUE_STRING)) {
                    entry.put(name, in.getText());
                } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
                    entry.putWrong(name);
                    skip();
                }
            });
        } else if (!in.hasToken(JsonToken.VALUE_NULL)) {
            entry.isNoObject();
            skip();
        }
        return entry;
    }

    private void readFields(Field field) throws IOException {
        while (in.nextToken() != JsonToken.END_OBJECT) {
            String name = fold(in.currentName());
            in.nextToken();
            field.read(name);
        }
    }

    /** Skips a value. The limit of a text's length holds for it, too. */
    private void skip() throws IOException {
        if (in.hasToken(JsonToken.VALUE_STRING)) {
            in.getTextLength();
        }
        in.skipChildren();
    }

    /** Whether here is an object, in contrast to null. */
    private boolean isObject(String what) {
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
