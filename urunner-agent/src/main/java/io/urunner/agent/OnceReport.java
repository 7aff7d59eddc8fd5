package io.urunner.agent;

import java.util.List;
import java.util.Optional;

/**
 * The result of one pass over everything.
 *
 * @param rows what was decided for each container
 * @param hindrances what prevented the agent from deciding or acting: registries, credentials, permissions, the cluster
 */
public record OnceReport(List<Row> rows, List<String> hindrances) {
    public OnceReport {
        rows = List.copyOf(rows);
        hindrances = List.copyOf(hindrances);
    }

    /**
     * One container.
     *
     * @param workload its workload
     * @param container its name
     * @param reference its reference, if it follows one
     * @param digest what the reference resolved to, if it did
     * @param decision what was decided for the workload, in a few words
     * @param reason the reason, in words
     */
    public record Row(
            String workload,
            String container,
            Optional<String> reference,
            Optional<String> digest,
            String decision,
            String reason) {}
}
