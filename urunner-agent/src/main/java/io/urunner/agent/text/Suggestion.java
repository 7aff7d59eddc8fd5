package io.urunner.agent.text;

import java.util.Collection;
import java.util.Optional;

/** Finds the name that was probably meant. */
public final class Suggestion {
    private Suggestion() {}

    /**
     * Returns the known name nearest to a misspelt one.
     *
     * @param misspelt the misspelt name
     * @param known the known names
     * @return the nearest; empty if none is near enough
     */
    public static Optional<String> nearest(String misspelt, Collection<String> known) {
        String best = null;
        int bestDistance = Math.max(2, misspelt.length() / 4) + 1;
        for (String name : known) {
            int distance = distance(misspelt, name, bestDistance);
            if (distance < bestDistance) {
                bestDistance = distance;
                best = name;
            }
        }
        return Optional.ofNullable(best);
    }

    /**
     * Returns the question that ends a sentence about a misspelt name.
     *
     * @param misspelt the misspelt name
     * @param known the known names
     * @return {@code ; did you mean X?}, or an empty string
     */
    public static String didYouMean(String misspelt, Collection<String> known) {
        return nearest(misspelt, known)
                .map(name -> "; did you mean " + name + "?")
                .orElse("");
    }

    /** The edits (insert, delete, replace, swap neighbours) between two texts, ignoring case; at most {@code limit}. */
    private static int distance(String left, String right, int limit) {
        if (Math.abs(left.length() - right.length()) >= limit) {
            return limit;
        }
        int[][] edits = new int[left.length() + 1][right.length() + 1];
        for (int i = 0; i <= left.length(); i++) {
            for (int j = 0; j <= right.length(); j++) {
                if (i == 0 || j == 0) {
                    edits[i][j] = i + j;
                    continue;
                }
                int replace = edits[i - 1][j - 1] + (same(left, i - 1, right, j - 1) ? 0 : 1);
                edits[i][j] = Math.min(replace, Math.min(edits[i - 1][j], edits[i][j - 1]) + 1);
                if (i > 1 && j > 1 && same(left, i - 1, right, j - 2) && same(left, i - 2, right, j - 1)) {
                    edits[i][j] = Math.min(edits[i][j], edits[i - 2][j - 2] + 1);
                }
            }
        }
        return Math.min(limit, edits[left.length()][right.length()]);
    }

    private static boolean same(String left, int i, String right, int j) {
        return Character.toUpperCase(left.charAt(i)) == Character.toUpperCase(right.charAt(j));
    }
}
