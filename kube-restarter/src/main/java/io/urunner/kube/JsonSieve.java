package io.urunner.kube;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets the few wanted fields of JSON through as it arrives, byte by byte, and drops the rest: what nobody needs takes no
 * memory, however long or deep it is. What is wanted is bounded as well: texts are truncated, and when a list or a document
 * holds too much, the rest is left out, which {@link #CUT} reports.
 *
 * <p>What is wanted is described in JSON, too. An object names its fields; a name that ends with {@code *} stands for all
 * fields with that prefix. A number stands for a text, a number or a flag, and limits how many characters of a text are
 * kept. A description of an object or value also stands for a list of them.
 */
final class JsonSieve {
    /** A field of a document from which something was left out: what that is, in words. */
    static final String CUT = " cut";

    /** How many entries of a list, or fields of an object, are kept. */
    static final int MOST_ENTRIES = 500;

    private static final int LARGEST = 512 * 1024;
    private static final int LONGEST_NAME = 320;
    private static final int LONGEST_NUMBER = 32;
    private static final int DEEPEST = 64;

    private final JsonNode wanted;
    private final String list;
    private final Consumer<JsonNode> document;

    private @Nullable Frame top;
    /** What is wanted of the value whose name was just read. */
    private @Nullable JsonNode next;

    private Document open = new Document();
    private @Nullable Document around;

    private Text text = Text.NONE;
    private boolean escaped;
    private int hexDigits;
    private int longest;
    private int characters;
    private ByteArrayOutputStream name = new ByteArrayOutputStream();
    private final StringBuilder number = new StringBuilder();
    private boolean inNumber;
    /** How deep we are in what is not wanted. */
    private int unwanted;

    /** What kind of text is being read. */
    private enum Text {
        NONE,
        NAME,
        KEPT,
        UNWANTED
    }

    /** An object or a list that is kept. */
    private static final class Frame {
        final @Nullable Frame parent;
        final JsonNode wanted;
        final String name;
        final boolean array;
        /** Whether its entries are documents of their own. */
        final boolean documents;

        boolean nameNext;
        int entries;

        Frame(@Nullable Frame parent, JsonNode wanted, String name, boolean array, boolean documents) {
            this.parent = parent;
            this.wanted = wanted;
            this.name = name;
            this.array = array;
            this.documents = documents;
            this.nameNext = !array;
        }

        String path() {
            String before = parent == null ? "" : parent.path();
            return before.isEmpty() || name.isEmpty() ? before + name : before + "." + name;
        }

        int depth() {
            return parent == null ? 1 : parent.depth() + 1;
        }
    }

    /** What is kept of a document so far. */
    private static final class Document {
        final ByteArrayOutputStream json = new ByteArrayOutputStream(256);
        String cut = "";
    }

    /**
     * A sieve for documents that follow each other.
     *
     * @param wanted what is wanted of each
     * @param document receives each one when it is complete
     */
    JsonSieve(JsonNode wanted, Consumer<JsonNode> document) {
        this(wanted, "", document);
    }

    /**
     * A sieve for a document with a list, whose entries are documents of their own.
     *
     * @param wanted what is wanted of the document, and of each entry under the list's name
     * @param list the list's name
     * @param document receives each entry, and finally the document without them
     */
    JsonSieve(JsonNode wanted, String list, Consumer<JsonNode> document) {
        this.wanted = wanted;
        this.list = list;
        this.document = document;
    }

    /** Reads what is wanted, from JSON with apostrophes for quotation marks. */
    static JsonNode wanted(String json) {
        try {
            return KubeConnection.JSON.readTree(json.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what is wanted is not JSON", e);
        }
    }

    /**
     * Takes more bytes.
     *
     * @throws IOException if they are not JSON
     */
    void feed(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            byte each = bytes.get();
            if (text == Text.UNWANTED) {
                skipped(each);
            } else if (text != Text.NONE) {
                inText(each);
            } else if (unwanted > 0) {
                unwanted(each);
            } else {
                structure(each);
            }
        }
    }

    /** Whether no document is partly read. */
    boolean isBetweenDocuments() {
        return top == null;
    }

    private void skipped(byte each) {
        if (escaped) {
            escaped = false;
        } else if (each == '\\') {
            escaped = true;
        } else if (each == '"') {
            text = Text.NONE;
        }
    }

    private void unwanted(byte each) {
        switch (each) {
            case '"' -> text = Text.UNWANTED;
            case '{', '[' -> unwanted++;
            case '}', ']' -> unwanted--;
            default -> {}
        }
    }

    private void structure(byte each) throws IOException {
        switch (each) {
            case ' ', '\t', '\r', '\n' -> endNumber();
            case '"' -> beginText();
            case '{', '[' -> open(each == '[');
            case '}', ']' -> {
                endNumber();
                close(each == ']');
            }
            case ',' -> {
                endNumber();
                Frame frame = inside();
                frame.nameNext = !frame.array;
                next = null;
            }
            case ':' -> inside().nameNext = false;
            default -> {
                inside();
                inNumber = true;
                if (number.length() <= LONGEST_NUMBER) {
                    number.append((char) (each & 0xFF));
                }
            }
        }
    }

    private Frame inside() throws IOException {
        if (top == null) {
            throw new IOException("this is not a JSON object");
        }
        return top;
    }

    /** What is wanted of the value that begins here; null for nothing. */
    private @Nullable JsonNode wantedHere() throws IOException {
        Frame frame = inside();
        return frame.array ? frame.wanted : next;
    }

    private void beginText() throws IOException {
        escaped = false;
        hexDigits = 0;
        characters = 0;
        Frame frame = inside();
        if (frame.nameNext) {
            text = Text.NAME;
            longest = LONGEST_NAME;
            name = new ByteArrayOutputStream();
            return;
        }
        JsonNode here = wantedHere();
        if (here != null && here.isNumber() && begin()) {
            text = Text.KEPT;
            longest = here.intValue();
            open.json.write('"');
        } else {
            text = Text.UNWANTED;
        }
    }

    private void inText(byte each) {
        if (escaped) {
            escaped = false;
            hexDigits = each == 'u' ? 4 : 0;
        } else if (hexDigits > 0) {
            hexDigits--;
        } else if (each == '"') {
            endText();
            return;
        } else {
            escaped = each == '\\';
            // The bytes of a character after its first begin with the bits 10.
            if ((each & 0xC0) != 0x80) {
                characters++;
            }
            if (text == Text.KEPT && characters <= longest && open.json.size() >= LARGEST) {
                cut("there is more than " + LARGEST / 1024 + " kB of what is needed");
                longest = 0;
            }
        }
        if (characters <= longest) {
            (text == Text.NAME ? name : open.json).write(each);
        }
    }

    private void endText() {
        if (text == Text.NAME && top != null) {
            next = characters > LONGEST_NAME ? null : field(top.wanted, name());
        } else if (text == Text.KEPT) {
            open.json.write('"');
        }
        text = Text.NONE;
    }

    private String name() {
        return name.toString(StandardCharsets.UTF_8);
    }

    private static @Nullable JsonNode field(JsonNode wanted, String name) {
        JsonNode found = wanted.get(name);
        if (found != null) {
            return found;
        }
        for (Map.Entry<String, JsonNode> each : wanted.properties()) {
            String prefix = each.getKey();
            if (prefix.endsWith("*") && name.startsWith(prefix.substring(0, prefix.length() - 1))) {
                return each.getValue();
            }
        }
        return null;
    }

    /** Begins a value that is wanted; false if there is no room for it. */
    private boolean begin() {
        Frame frame = top;
        if (frame == null || !open.cut.isEmpty()) {
            return frame == null;
        }
        if (frame.entries >= MOST_ENTRIES) {
            cut(frame.path() + " has more than " + MOST_ENTRIES + " entries");
            return false;
        }
        if (frame.entries++ > 0) {
            open.json.write(',');
        }
        if (!frame.array) {
            open.json.write('"');
            open.json.writeBytes(name.toByteArray());
            open.json.write('"');
            open.json.write(':');
        }
        return true;
    }

    private void cut(String what) {
        if (open.cut.isEmpty()) {
            open.cut = what;
        }
    }

    private void open(boolean array) throws IOException {
        Frame frame = top;
        if (frame == null) {
            if (array) {
                throw new IOException("this is not a JSON object");
            }
            top = new Frame(null, wanted, "", false, false);
            open.json.write('{');
            return;
        }
        JsonNode here = wantedHere();
        String called = frame.array ? "" : name();
        if (here != null && array && frame.parent == null && called.equals(list) && !list.isEmpty()) {
            top = new Frame(frame, here, "", true, true);
        } else if (frame.documents && !array) {
            around = open;
            open = new Document();
            top = new Frame(frame, frame.wanted, "", false, false);
            open.json.write('{');
        } else if (here == null || frame.documents || !begin()) {
            unwanted = 1;
        } else if ((array || here.isObject()) && frame.depth() < DEEPEST) {
            top = new Frame(frame, here, called, array, false);
            open.json.write(array ? '[' : '{');
        } else {
            open.json.writeBytes(new byte[] {'n', 'u', 'l', 'l'});
            unwanted = 1;
        }
    }

    private void close(boolean array) throws IOException {
        Frame frame = inside();
        if (frame.array != array) {
            throw new IOException("this is not JSON");
        }
        top = frame.parent;
        next = null;
        if (frame.documents) {
            return;
        }
        open.json.write(array ? ']' : '}');
        if (top == null || top.documents) {
            Document whole = open;
            open = around == null ? new Document() : around;
            around = null;
            ObjectNode json = (ObjectNode) KubeConnection.JSON.readTree(whole.json.toByteArray());
            if (!whole.cut.isEmpty()) {
                json.put(CUT, whole.cut);
            }
            document.accept(json);
        }
    }

    /** Ends a number, a flag or null, if one was being read. */
    private void endNumber() throws IOException {
        if (!inNumber) {
            return;
        }
        inNumber = false;
        JsonNode here = wantedHere();
        if (here != null && here.isNumber() && begin()) {
            open.json.writeBytes((number.length() > LONGEST_NUMBER ? "null" : number.toString())
                    .getBytes(StandardCharsets.ISO_8859_1));
        }
        number.setLength(0);
    }
}
