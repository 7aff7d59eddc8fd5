package io.urunner.kube;

import java.util.Optional;

/** Changes workloads, each time with one idempotent patch. Thread-safe; blocks until the API server answers. */
@SuppressWarnings("DoNotCallSuggester")
public final class Restarter {
    /**
     * A restarter.
     *
     * @param connection to which cluster; stays the caller's to close
     */
    public Restarter(KubeConnection connection) {}

    /**
     * Starts a rollout: one strategic-merge patch with field manager {@code urunner} that is valid only for the version
     * that was planned on. May be repeated when its answer was lost: it does nothing twice.
     *
     * @param planned the workload as it was planned on
     * @param restart what to change
     * @return what became of it
     * @throws KubeException if the API server refused or could not be reached
     */
    public PatchResult restart(Workload planned, Restart restart) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * Writes {@code urunner.io/state} without starting a rollout.
     *
     * @param planned the workload as it was planned on
     * @param state what it says from now on
     * @return what became of it
     * @throws KubeException if the API server refused or could not be reached
     */
    public PatchResult remember(Workload planned, WorkloadState state) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * Reads a workload, its revisions and its pods from the API server: what a watch knows may be a moment old.
     *
     * @param id which one
     * @return the workload; empty if there is none
     * @throws KubeException if the API server refused or could not be reached
     */
    public Optional<Workload> read(WorkloadId id) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }

    /**
     * Deletes a pod, for example one that keeps a StatefulSet from rolling back.
     *
     * @param namespace its namespace
     * @param pod the pod; if another one has its name by now, that one stays
     * @return whether it was there
     * @throws KubeException if the API server refused or could not be reached
     */
    public boolean deletePod(String namespace, Pod pod) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }
}
