package io.urunner.agent.app.doctor;

import io.urunner.kube.KubeAccess;
import java.util.Optional;

/**
 * From where a command looks by itself, as no running agent tells it. Immutable.
 *
 * @param why why none does, for people: {@code no running agent was found here}
 * @param instead how the agent itself is asked; empty if there is none
 * @param account the agent's account, where the caller's is another one
 * @param history why the agent's history cannot be seen from here; empty if it can
 */
public record Vantage(
        String why, Optional<String> instead, Optional<KubeAccess.Account> account, Optional<String> history) {
    /** The agent's own place. */
    public static final Vantage HERE =
            new Vantage("no running agent was found here", Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * Who looks, and why.
     *
     * @return the words, which everything else follows
     */
    public String source() {
        return "a look from here, which changes nothing, because " + why
                + instead.map(how -> "; " + how).orElse("");
    }
}
