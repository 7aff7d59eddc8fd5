package io.urunner.kube;

/** The result of a patch. */
public sealed interface PatchResult {
    /**
     * The API server accepted it. This is also the result of a patch that changed nothing, with the existing version.
     *
     * @param resourceVersion the new version of the workload
     * @param generation the new generation of the workload: the rollout to follow
     */
    record Patched(String resourceVersion, long generation) implements PatchResult {}

    /** The workload has changed since the plan was made: read it and plan again. */
    record Conflict() implements PatchResult {}

    /** The workload was deleted. */
    record Gone() implements PatchResult {}
}
