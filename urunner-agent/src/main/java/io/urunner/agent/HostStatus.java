package io.urunner.agent;

import io.urunner.agent.plan.Deferral;
import io.urunner.agent.text.Phrases;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How it stands with one registry host.
 *
 * @param host the host, as {@code host[:port]}
 * @param references how many references are asked there
 * @param asked whether it was asked for any of them yet
 * @param healthy whether it was asked, and answered last time
 * @param problem what is wrong, if something is
 * @param failingSince since when it does not answer
 * @param lastAnswer when it answered last
 * @param waits why it is not asked now; of many that wait the first
 * @param nextPass when it is asked again; empty while a pass runs
 * @param passes how many whole passes there were
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
     * That it is not asked for a while.
     *
     * @param namespace with the pull secrets of which namespace; empty for what is asked for everybody
     * @param cause the kind of reason
     * @param why the reason, for people
     * @param since since when
     * @param until when it is asked again
     */
    public record Wait(Optional<String> namespace, Deferral cause, String why, Instant since, Instant until) {
        /**
         * The reason, since when and until when.
         *
         * @return the words
         */
        public String words() {
            return why + ", since " + Phrases.time(since) + ", asked again at " + Phrases.time(until);
        }
    }
}
