package io.urunner.agent.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

/**
 * Makes texts safe to show. Anybody can write annotations, labels, answers of registries and messages of the cluster: they
 * may contain line breaks that forge a log line, sequences that control a terminal, marks that change the direction of
 * reading, invisible characters, passwords in URLs, and more text than anybody reads.
 *
 * <p>It is called where a text leaves the agent, not where it comes in, so that no input can be forgotten: by the log, the
 * terminal, the writer of Events and annotations, the metrics and the HTTP answers. What is harmless stays as it is, so
 * applying it twice changes nothing.
 */
public final class Printable {
    /** The default maximum length of a line in bytes of UTF-8: what an Event can hold. */
    public static final int LINE = 1024;

    /** Replaces a character that is invisible or has an effect. */
    private static final char REPLACEMENT = '\uFFFD';

    /** How many accents a letter keeps: more than any language uses would cover the lines above and below. */
    private static final int MARKS = 4;

    /** The text is searched for secrets up to this many times the limit: nothing beyond that is shown. */
    private static final int LOOKED_THROUGH = 16;

    private Printable() {}

    /**
     * Returns one line of at most {@value #LINE} bytes.
     *
     * @param text the text
     * @return the line
     */
    public static String line(String text) {
        return line(text, LINE);
    }

    /**
     * Returns one line without secrets. Line breaks and tabs become spaces, invisible characters become {@code U+FFFD}, user
     * info is removed from URLs, and a text that is too long is cut, with a note of its length.
     *
     * @param text the text
     * @param limit the maximum number of bytes of UTF-8, at least 64
     * @return the line
     */
    public static String line(String text, int limit) {
        int longest = (int) Math.min(text.length(), (long) limit * LOOKED_THROUGH);
        String shown = Secrets.removed(printable(text.substring(0, longest), false));
        return longest == text.length() && bytes(shown) <= limit ? shown : cut(shown, limit, text.length());
    }

    /**
     * Returns a setting's value for messages about it: one line without anything that could be a password.
     *
     * @param value the value
     * @return the line
     */
    public static String setting(String value) {
        return Secrets.ofSetting(printable(value, false));
    }

    /**
     * Returns a text of several lines that we composed ourselves: its line breaks stay.
     *
     * @param text the text
     * @return the text, of any length
     */
    public static String lines(String text) {
        return printable(text, true);
    }

    /**
     * Returns JSON in which every text, name or value, is one {@linkplain #line line}.
     *
     * @param json the JSON
     * @return the same with harmless texts
     */
    public static JsonNode json(JsonNode json) {
        if (json instanceof ObjectNode object) {
            ObjectNode shown = JsonNodeFactory.instance.objectNode();
            object.properties().forEach(each -> shown.set(line(each.getKey()), json(each.getValue())));
            return shown;
        }
        if (json instanceof ArrayNode array) {
            ArrayNode shown = JsonNodeFactory.instance.arrayNode();
            array.forEach(each -> shown.add(json(each)));
            return shown;
        }
        return json instanceof TextNode text ? TextNode.valueOf(line(text.textValue())) : json;
    }

    private static String printable(String text, boolean lines) {
        StringBuilder shown = null;
        int marks = 0;
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            int length = Character.charCount(character);
            marks = isMark(character) ? marks + 1 : 0;
            int harmless = marks > MARKS ? REPLACEMENT : lines && character == '\n' ? character : harmless(character);
            if (harmless != character && shown == null) {
                shown = new StringBuilder(text.length()).append(text, 0, i);
            }
            if (shown != null) {
                shown.appendCodePoint(harmless);
            }
            i += length;
        }
        return shown == null ? text : shown.toString();
    }

    private static int harmless(int character) {
        if (character >= ' ' && character <= '~') {
            return character;
        }
        return switch (Character.getType(character)) {
            case Character.CONTROL -> isWhiteSpace(character) ? ' ' : REPLACEMENT;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> ' ';
            case Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED -> REPLACEMENT;
            default -> isUnseen(character) ? REPLACEMENT : character;
        };
    }

    /** Tab, line feed, vertical tab, form feed, carriage return and next line. */
    private static boolean isWhiteSpace(int control) {
        return (control >= '\t' && control <= '\r') || control == 0x85;
    }

    private static boolean isMark(int character) {
        int type = Character.getType(character);
        return type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK;
    }

    /** Invisible letters, marks and symbols: fillers, joiners and variation selectors. */
    private static boolean isUnseen(int character) {
        return switch (character) {
            case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0 -> true;
            default ->
                (character >= 0x180B && character <= 0x180F)
                        || (character >= 0xFE00 && character <= 0xFE0F)
                        || (character >= 0xE0000 && character <= 0xE0FFF);
        };
    }

    private static String cut(String text, int limit, int characters) {
        String end = "… (" + characters + " characters)";
        int left = limit - bytes(end);
        int kept = 0;
        while (kept < text.length()) {
            int character = text.codePointAt(kept);
            left -= bytes(character);
            if (left < 0) {
                break;
            }
            kept += Character.charCount(character);
        }
        return text.substring(0, kept) + end;
    }

    private static int bytes(String text) {
        return text.codePoints().map(Printable::bytes).sum();
    }

    private static int bytes(int character) {
        return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    }
}
