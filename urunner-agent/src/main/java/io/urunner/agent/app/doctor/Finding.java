package io.urunner.agent.app.doctor;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import java.util.List;

/**
 * What one check came to.
 *
 * @param check what was looked at, for example {@code permission}
 * @param result how it is
 * @param words what was found
 * @param remedy what to do; empty if nothing is to be done
 */
public record Finding(String check, Result result, String words, String remedy) {
    /** How it is. */
    public enum Result {
        /** As it should be. */
        OK("ok"),
        /** Worth knowing, and not wrong. */
        NOTE("note"),
        /** Wrong. */
        WRONG("WRONG");

        private final String words;

        Result(String words) {
            this.words = words;
        }

        /**
         * The result as it is printed.
         *
         * @return the word
         */
        public String words() {
            return words;
        }
    }

    /**
     * What there is to say of a configuration that can be read.
     *
     * @param configuration the configuration
     * @return at least one finding
     */
    public static List<Finding> of(Configuration configuration) {
        return configuration.warnings().isEmpty()
                ? List.of(ok("configuration", "it can be read, and has no problem"))
                : configuration.warnings().stream()
                        .map(warning -> note("configuration", warning, ""))
                        .toList();
    }

    /**
     * What is wrong with a configuration.
     *
     * @param wrong its problems
     * @return a finding for each
     */
    public static List<Finding> of(ConfigurationException wrong) {
        return wrong.problems().stream()
                .map(problem ->
                        wrong("configuration", problem.toString(), "correct it: 'urunner config' shows the rest"))
                .toList();
    }

    static Finding ok(String check, String words) {
        return new Finding(check, Result.OK, words, "");
    }

    static Finding note(String check, String words, String remedy) {
        return new Finding(check, Result.NOTE, words, remedy);
    }

    static Finding wrong(String check, String words, String remedy) {
        return new Finding(check, Result.WRONG, words, remedy);
    }
}
