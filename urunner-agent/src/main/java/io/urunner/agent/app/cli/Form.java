package io.urunner.agent.app.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.text.Printable;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The form in which an answer is printed. Immutable.
 *
 * @param format the format
 * @param width how many columns the terminal has, for {@link Format#TEXT}
 */
public record Form(Format format, int width) {
    /** The version of the JSON and YAML of all commands: within a version members are only added. */
    public static final int SCHEMA = 1;

    static final int NARROWEST = 40;
    private static final int WIDTH = 80;
    private static final int WIDEST = 1_000;
    private static final String OUTPUT = "output";
    private static final String COLUMNS = "width";

    public Form {
        width = Math.max(NARROWEST, Math.min(WIDEST, width));
    }

    /** The formats. */
    public enum Format {
        /** For people: as wide as the terminal. */
        TEXT,
        /** For people: everything, in lines of any length. */
        WIDE,
        /** JSON. */
        JSON,
        /** YAML. */
        YAML;

        /** As it is written on the command line. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** On the terminal of a command: its width is what {@code COLUMNS} says. */
    static Form of(Format format, Map<String, String> environment) {
        return new Form(format, number(environment.getOrDefault("COLUMNS", "")));
    }

    /**
     * What a request to an agent asks for.
     *
     * @param query its parameters: {@code output}, by default {@code json}, and {@code width}
     * @return the form
     * @throws IllegalArgumentException if there is no such format
     */
    static Form of(Map<String, String> query) {
        String wanted = query.getOrDefault(OUTPUT, Format.JSON.toString());
        return new Form(
                Stream.of(Format.values())
                        .filter(format -> format.toString().equalsIgnoreCase(wanted))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("output is one of "
                                + Stream.of(Format.values())
                                        .map(Format::toString)
                                        .collect(Collectors.joining(", ")))),
                number(query.getOrDefault(COLUMNS, "")));
    }

    /** The same as parameters of a request. */
    String query() {
        return OUTPUT + "=" + format + "&" + COLUMNS + "=" + width;
    }

    private static int number(String text) {
        return text.matches("[0-9]{1,6}") && !text.matches("0+") ? Integer.parseInt(text) : WIDTH;
    }

    /**
     * Whether it is for machines.
     *
     * @return true for JSON and YAML
     */
    public boolean structured() {
        return format == Format.JSON || format == Format.YAML;
    }

    boolean wide() {
        return format == Format.WIDE;
    }

    /**
     * The media type of what is printed.
     *
     * @return the value of {@code Content-Type}
     */
    public String mediaType() {
        return switch (format) {
            case JSON -> "application/json";
            case YAML -> "application/yaml";
            case TEXT, WIDE -> "text/plain; charset=utf-8";
        };
    }

    /** The document as JSON or YAML, with the version of the schema as its first member, ending with a new line. */
    String print(Record document) {
        ObjectNode all = JsonNodeFactory.instance.objectNode().put("schema", SCHEMA);
        all.setAll(Json.of(document));
        JsonNode shown = Printable.json(all);
        return format == Format.YAML ? Yaml.of(shown) : shown.toPrettyString() + "\n";
    }
}
