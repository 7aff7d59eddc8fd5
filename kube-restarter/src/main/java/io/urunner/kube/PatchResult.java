package io.urunner.kube;

/** What became of a patch. */
public sealed interface PatchResult {
    /**
     * The API server took it. A patch that changed nothing is answered so too, with the version that was there.
     *
     * @param resourceVersion the workload's version now
     * @param generation the workload's generation now: the rollout to follow
     */
    record Patched(String resourceVersion, long generation) implements PatchResult {}

    /** The workload is not the one any more that was planned on: read it again and plan again. */
    record Conflict() implements PatchResult {}

    /** The workload was deleted. */
    record Gone() implements PatchResult {}
}
