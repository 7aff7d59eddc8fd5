package io.urunner.registry.layout;

/** Texts from files, fit to be shown. */
final class Shown {
    private static final int MOST = 100;

    private Shown() {}

    static String of(String text) {
        String bounded = text.length() > MOST ? text.substring(0, MOST) + "…" : text;
        return "'" + bounded.replaceAll("[\\p{C}\\p{Zl}\\p{Zp}]", "?") + "'";
    }
}
