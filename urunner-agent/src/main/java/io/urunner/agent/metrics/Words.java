package io.urunner.agent.metrics;

import java.util.Locale;

/** The agent's words for states and outcomes, as values of labels. */
final class Words {
    private Words() {}

    /** {@code rate limited} and {@code rate-limited} are both {@code rate_limited}. */
    static String label(String words) {
        return words.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
    }
}
