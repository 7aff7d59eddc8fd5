package io.urunner.agent.app.doctor;

import io.urunner.kube.KubeAccess;
import java.util.Optional;

/**
 * From where a command looks itself, if no running agent answers. Immutable.
 *
 * @param why why no agent answers, for example {@code no running agent was found here}
 * @param instead how to ask the agent itself; empty if there is none
 * @param account the agent's account, if it is not the caller's
 * @param history why the agent's history cannot be seen from here; empty if it can
 */
public record Vantage(
        String why, Optional<String> instead, Optional<KubeAccess.Account> account, Optional<String> history) {
    /** On the agent's own machine. */
    public static final Vantage HERE =
            new Vantage("no running agent was found here", Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * Who looks, and why.
     *
     * @return the first line of the output
     */
    public String source() {
        return "checked from here, without changing anything, because " + why
                + instead.map(how -> "; " + how).orElse("");
    }
}
