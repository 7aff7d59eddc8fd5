package io.urunner.agent.text;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Parses the values of settings and annotations. {@link Durations} parses durations. */
public final class Values {
    private static final int LONGEST_SHOWN = 20;

    private Values() {}

    /**
     * Parses {@code true} or {@code false}, ignoring case.
     *
     * @param text the text
     * @return the value
     * @throws IllegalArgumentException if the text is neither
     */
    public static boolean bool(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(shown(text) + " is neither true nor false");
        };
    }

    /**
     * Parses the name of an enum constant, as its {@code toString()} returns it; ignores case, and accepts {@code -} for
     * {@code _}.
     *
     * @param type the enum
     * @param text the text
     * @param <E> the enum
     * @return the constant
     * @throws IllegalArgumentException if there is no such constant; the message lists them
     */
    public static <E> E choice(Class<E> type, String text) {
        E[] constants = type.getEnumConstants();
        String wanted = text.strip().replace('-', '_');
        return Arrays.stream(constants)
                .filter(constant -> constant.toString().replace('-', '_').equalsIgnoreCase(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(shown(text) + " is not one of "
                        + Arrays.stream(constants).map(Object::toString).collect(Collectors.joining(", "))));
    }

    /**
     * Returns the value for a message about it. A text that is longer than any valid value may be a password that was meant
     * for another setting, so it is not shown.
     *
     * @param text the text
     * @return the text in quotation marks, or {@code the value}
     */
    public static String shown(String text) {
        return text.length() <= LONGEST_SHOWN ? "'" + text + "'" : "the value";
    }
}
