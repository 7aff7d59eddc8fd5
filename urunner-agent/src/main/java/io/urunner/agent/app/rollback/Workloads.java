package io.urunner.agent.app.rollback;

import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Pod;
import io.urunner.kube.Restart;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The cluster, as the commands use it: a port, so that they can be tried without one. Thread-safe; every method blocks
 * until the API server answers, and throws {@link KubeException} if it refuses or cannot be reached.
 */
public interface Workloads {
    /**
     * A workload as it is now, with its pods.
     *
     * @param id which one
     * @return the workload; empty if there is none
     * @throws KubeException if the API server does not say
     */
    Optional<Workload> read(WorkloadId id) throws KubeException;

    /**
     * The workloads of a name, in whatever namespace.
     *
     * @param name the name
     * @return the workloads, in their order
     * @throws KubeException if the API server does not say
     */
    List<WorkloadId> named(String name) throws KubeException;

    /**
     * The templates that a workload had.
     *
     * @param id which one
     * @return the templates, the oldest first
     * @throws KubeException if the API server does not say
     */
    List<PastTemplate> pastTemplates(WorkloadId id) throws KubeException;

    /**
     * What the nodes run.
     *
     * @return platforms such as {@code linux/amd64}
     * @throws KubeException if the API server does not say
     */
    Set<String> nodePlatforms() throws KubeException;

    /**
     * Starts a rollout.
     *
     * @param planned the workload as it was planned on
     * @param restart what to change
     * @return what became of it
     * @throws KubeException if the API server does not take it
     */
    PatchResult restart(Workload planned, Restart restart) throws KubeException;

    /**
     * Writes the workload's state, without a rollout.
     *
     * @param planned the workload as it was planned on
     * @param state the state
     * @return what became of it
     * @throws KubeException if the API server does not take it
     */
    PatchResult remember(Workload planned, WorkloadState state) throws KubeException;

    /**
     * Deletes a pod.
     *
     * @param namespace its namespace
     * @param pod the pod
     * @throws KubeException if the API server does not do it
     */
    void deletePod(String namespace, Pod pod) throws KubeException;

    /**
     * Writes an Event on a workload: something that was done on purpose.
     *
     * @param workload the workload
     * @param reason the reason in one CamelCase word
     * @param message the event in words
     * @throws KubeException if the API server does not take it
     */
    void tell(Workload workload, String reason, String message) throws KubeException;
}
