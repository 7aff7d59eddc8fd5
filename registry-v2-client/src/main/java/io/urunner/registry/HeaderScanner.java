package io.urunner.registry;

import org.jspecify.annotations.Nullable;

/**
 * Reads the pieces of an HTTP header from left to right (RFC 9110, section 5.6): tokens, quoted strings, delimiters.
 */
final class HeaderScanner {
    private final String text;
    private int position;

    HeaderScanner(String text) {
        this.text = text;
    }

    boolean atEnd() {
        return position >= text.length();
    }

    int position() {
        return position;
    }

    void reset(int earlier) {
        position = earlier;
    }

    /** The next character, or NUL at the end. */
    char peek() {
        return atEnd() ? '\0' : text.charAt(position);
    }

    boolean skip(char expected) {
        if (peek() == expected && !atEnd()) {
            position++;
            return true;
        }
        return false;
    }

    void skipBlanks() {
        while (peek() == ' ' || peek() == '\t') {
            position++;
        }
    }

    /** Skips blanks and empty list elements. */
    void skipListSeparators() {
        while (peek() == ' ' || peek() == '\t' || peek() == ',') {
            position++;
        }
    }

    /** The longest run of token characters, possibly empty. */
    String token() {
        int start = position;
        while (!atEnd() && isTokenCharacter(peek())) {
            position++;
        }
        return text.substring(start, position);
    }

    /** A quoted string without its quotes, or null if there is none; an unterminated one extends to the end. */
    @Nullable String quoted() {
        if (!skip('"')) {
            return null;
        }
        StringBuilder value = new StringBuilder();
        while (!atEnd()) {
            char c = text.charAt(position++);
            if (c == '"') {
                break;
            }
            if (c == '\\' && !atEnd()) {
                c = text.charAt(position++);
            }
            value.append(c);
        }
        return value.toString();
    }

    /** Everything up to one of the delimiters, without surrounding blanks. */
    String until(String delimiters) {
        int start = position;
        while (!atEnd() && delimiters.indexOf(peek()) < 0) {
            position++;
        }
        return text.substring(start, position).strip();
    }

    private static boolean isTokenCharacter(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
    }
}
