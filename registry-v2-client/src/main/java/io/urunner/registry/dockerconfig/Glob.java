package io.urunner.registry.dockerconfig;

/**
 * Shell globs as in Go's {@code path.Match}, for one label of a host: {@code *}, {@code ?}, {@code [a-z]}, {@code
 * [^a-z]} and the backslash. A malformed pattern matches nothing.
 */
final class Glob {
    private static final int WRONG = -1;

    private final String pattern;
    private final String text;

    private Glob(String pattern, String text) {
        this.pattern = pattern;
        this.text = text;
    }

    static boolean matches(String pattern, String text) {
        return new Glob(pattern, text).matches();
    }

    /** Backtracks only to the last star, so the time is at most the product of the two lengths. */
    private boolean matches() {
        int p = 0;
        int t = 0;
        int afterStar = WRONG;
        int starText = 0;
        while (t < text.length() || p < pattern.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                afterStar = ++p;
                starText = t;
                continue;
            }
            int next = p < pattern.length() && t < text.length() ? one(p, text.charAt(t)) : WRONG;
            if (next >= 0) {
                p = next;
                t++;
            } else if (afterStar >= 0 && starText < text.length()) {
                p = afterStar;
                t = ++starText;
            } else {
                return false;
            }
        }
        return true;
    }

    /** Matches one character; returns the position in the pattern after what matched, or {@link #WRONG}. */
    private int one(int p, char c) {
        return switch (pattern.charAt(p)) {
            case '?' -> p + 1;
            case '[' -> characterClass(p + 1, c);
            case '\\' -> p + 1 < pattern.length() && pattern.charAt(p + 1) == c ? p + 2 : WRONG;
            default -> pattern.charAt(p) == c ? p + 1 : WRONG;
        };
    }

    private int characterClass(int start, char c) {
        int p = start;
        boolean negated = p < pattern.length() && pattern.charAt(p) == '^';
        if (negated) {
            p++;
        }
        boolean hit = false;
        boolean first = true;
        while (first || p >= pattern.length() || pattern.charAt(p) != ']') {
            int low = member(p);
            if (low == WRONG) {
                return WRONG;
            }
            int high = low;
            if (low + 1 < pattern.length() && pattern.charAt(low + 1) == '-') {
                high = member(low + 2);
                if (high == WRONG) {
                    return WRONG;
                }
            }
            hit |= pattern.charAt(low) <= c && c <= pattern.charAt(high);
            p = high + 1;
            first = false;
        }
        return hit != negated ? p + 1 : WRONG;
    }

    /** Returns the position of the class member that starts here, after its backslash if it has one. */
    private int member(int p) {
        if (p >= pattern.length() || pattern.charAt(p) == '-' || pattern.charAt(p) == ']') {
            return WRONG;
        }
        int at = pattern.charAt(p) == '\\' ? p + 1 : p;
        return at < pattern.length() ? at : WRONG;
    }
}
