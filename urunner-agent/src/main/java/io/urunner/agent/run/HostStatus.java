package io.urunner.agent.run;

import java.time.Instant;
import java.util.Optional;

/**
 * How it stands with one registry host.
 *
 * @param host the host, as {@code host[:port]}
 * @param references how many references are asked there
 * @param healthy whether it answered last time
 * @param problem what is wrong, if something is
 * @param failingSince since when it does not answer
 * @param lastAnswer when it answered last
 * @param nextPass when it is asked again; empty while a pass runs
 * @param passes how many whole passes there were
 */
public record HostStatus(
        String host,
        int references,
        boolean healthy,
        Optional<String> problem,
        Optional<Instant> failingSince,
        Optional<Instant> lastAnswer,
        Optional<Instant> nextPass,
        long passes) {}
