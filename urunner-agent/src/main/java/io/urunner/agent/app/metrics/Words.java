package io.urunner.agent.app.metrics;

import io.urunner.agent.text.Printable;
import java.util.Locale;

/** Makes label values of texts. */
final class Words {
    /** Kubernetes names have at most 253 characters. */
    private static final int LONGEST_NAME = 256;

    private Words() {}

    /** A name: of a registry, a namespace, a workload. */
    static String name(String text) {
        return Printable.line(text, LONGEST_NAME);
    }

    /** A state or an outcome: {@code rate limited} and {@code rate-limited} are both {@code rate_limited}. */
    static String label(String words) {
        return words.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
    }
}
