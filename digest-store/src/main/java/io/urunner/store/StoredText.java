package io.urunner.store;

import java.util.Optional;

/** Limits incoming texts: what anybody may write must not fill the disk, nor be a text that no database accepts. */
final class StoredText {
    /** Canonical references have at most about 650 characters, names of workloads 340, digests 135. */
    private static final int LONGEST_KEY = 1024;

    private StoredText() {}

    /** A text that names something; truncated, it would name something else. */
    static String key(String what, String text) {
        if (text.length() > LONGEST_KEY) {
            throw new IllegalArgumentException(what + " has " + text.length() + " characters, at most " + LONGEST_KEY
                    + " are stored; it begins with " + text.substring(0, 64).replaceAll("\\p{C}", "?"));
        }
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(what + " contains a NUL character, which cannot be stored");
        }
        return text;
    }

    /** A text for people, truncated if it is too long. */
    static String words(String text, int longest) {
        String storable = text.replace('\0', '\uFFFD');
        if (storable.length() <= longest) {
            return storable;
        }
        int end = longest - 1;
        if (Character.isHighSurrogate(storable.charAt(end - 1))) {
            end--;
        }
        return storable.substring(0, end) + "…";
    }

    static Optional<String> words(Optional<String> text, int longest) {
        return text.map(present -> words(present, longest));
    }
}
