package io.urunner.agent.app.config;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration is invalid; the message lists every problem. */
public final class ConfigurationException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    ConfigurationException(List<Problem> problems) {
        super(problems.stream()
                .map(problem -> "  " + problem)
                .collect(Collectors.joining(
                        "\n",
                        problems.size() == 1
                                ? "the configuration has a problem:\n"
                                : "the configuration has " + problems.size() + " problems:\n",
                        "")));
        this.problems = List.copyOf(problems);
    }

    /**
     * The problems, in the order of the settings.
     *
     * @return at least one
     */
    public List<Problem> problems() {
        return problems;
    }
}
