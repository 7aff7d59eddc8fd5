package io.urunner.agent.app.doctor;

import io.urunner.agent.app.config.Configuration;
import io.urunner.agent.app.config.ConfigurationException;
import java.util.List;

/**
 * The result of a check.
 *
 * @param check what was checked, for example {@code permission}
 * @param result the result
 * @param words what was found
 * @param remedy what to do; empty if nothing is to be done
 */
public record Finding(String check, Result result, String words, String remedy) {
    /** The result. */
    public enum Result {
        /** Nothing is wrong. */
        OK("ok"),
        /** Worth knowing, but not wrong. */
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
     * The findings about a valid configuration.
     *
     * @param configuration the configuration
     * @return at least one finding
     */
    public static List<Finding> of(Configuration configuration) {
        return configuration.warnings().isEmpty()
                ? List.of(ok("configuration", "it is valid"))
                : configuration.warnings().stream()
                        .map(warning -> note("configuration", warning, ""))
                        .toList();
    }

    /**
     * The findings about an invalid configuration.
     *
     * @param wrong its problems
     * @return a finding for each
     */
    public static List<Finding> of(ConfigurationException wrong) {
        return wrong.problems().stream()
                .map(problem -> wrong("configuration", problem.toString(), "fix it; 'urunner config' shows the rest"))
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
