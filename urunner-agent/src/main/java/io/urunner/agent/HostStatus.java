package io.urunner.agent;

import io.urunner.agent.plan.Deferral;
import io.urunner.agent.text.Phrases;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The status of one registry host.
 *
 * @param host the host, as {@code host[:port]}
 * @param references how many references are asked there
 * @param asked whether it has been asked for any of them yet
 * @param healthy whether it was asked, and answered the last time
 * @param problem what is wrong, if anything
 * @param failingSince since when it has not answered
 * @param lastAnswer when it last answered
 * @param waits why it is not asked now; if many wait, only the first ones
 * @param nextPass when it is asked again; empty while a pass runs
 * @param passes how many passes were completed
 */
public record HostStatus(
        String host,
        int references,
        boolean asked,
        boolean healthy,
        Optional<String> problem,
        Optional<Instant> failingSince,
        Optional<Instant> lastAnswer,
        List<Wait> waits,
        Optional<Instant> nextPass,
        long passes) {
    public HostStatus {
        waits = List.copyOf(waits);
    }

    /**
     * A time during which the registry is not asked.
     *
     * @param namespace the namespace whose pull secrets are used; empty for what is asked on behalf of all
     * @param cause the kind of reason
     * @param why the reason, for people
     * @param since when it began
     * @param until when it is asked again
     */
    public record Wait(Optional<String> namespace, Deferral cause, String why, Instant since, Instant until) {
        /**
         * Returns the reason, since when and until when it applies.
         *
         * @return the text
         */
        public String words() {
            return why + ", since " + Phrases.time(since) + ", asked again at " + Phrases.time(until);
        }
    }
}
