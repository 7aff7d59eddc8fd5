package io.urunner.agent.app.rollback;

import io.urunner.kube.WorkloadState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The digests that tags had; also the JSON of {@code history}. Immutable.
 *
 * @param workload the workload, if the report is about one
 * @param hold the workload's hold
 * @param tags the tags
 */
public record HistoryReport(Optional<String> workload, Optional<WorkloadState.Hold> hold, List<Tag> tags) {
    public HistoryReport {
        tags = List.copyOf(tags);
    }

    /**
     * A tag.
     *
     * @param container the container that follows it, if the report is about a workload
     * @param reference the tag, in canonical form
     * @param digests the digests, newest first
     */
    public record Tag(Optional<String> container, String reference, List<Row> digests) {
        public Tag {
            digests = List.copyOf(digests);
        }
    }

    /**
     * A stay of a digest behind a tag.
     *
     * @param back how many digests it is before the newest one, as in {@code --to -2}; empty for an older stay of a
     *     digest that came back, and for one that failed here
     * @param digest the digest
     * @param firstSeen when it was first seen, if known
     * @param lastSeen when it was last seen, if known
     * @param revision the revision of the source that the image names, if known
     * @param version the version that the image names, if known
     * @param created when the image was built, in ISO 8601, if known
     * @param outcome how its last rollouts ended, if there were any
     * @param workloads the workloads that run it, as far as known
     * @param restorable whether the registry still has it: {@code yes}, {@code no} or {@code unknown}
     * @param why the reason, in words; empty if it has
     */
    public record Row(
            Optional<Integer> back,
            String digest,
            Optional<Instant> firstSeen,
            Optional<Instant> lastSeen,
            Optional<String> revision,
            Optional<String> version,
            Optional<String> created,
            Optional<String> outcome,
            List<String> workloads,
            String restorable,
            Optional<String> why) {
        public Row {
            workloads = List.copyOf(workloads);
        }
    }
}
