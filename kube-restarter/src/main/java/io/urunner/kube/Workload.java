package io.urunner.kube;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A snapshot of a workload: the few fields that are needed, not the object. Immutable.
 *
 * @param id which one
 * @param uid its uid: a workload that was deleted and created again has another one
 * @param resourceVersion its version; what is planned on this snapshot is applied to this version
 * @param generation its generation, which counts the changes of its specification
 * @param annotations its own annotations whose names start with {@code urunner.io/}, and the beginning of {@link
 *     #CHANGE_CAUSE}; {@link #STATE} is the newest one known, even if an undo removed it from the workload
 * @param templateAnnotations the pod template's annotations whose names start with {@code urunner.io/}
 * @param containers the containers and init containers of the template
 * @param imagePullSecrets the names of the template's pull secrets
 * @param serviceAccount the template's service account, {@code default} if it names none
 * @param rollout how far the controllers have got
 * @param currentRevision the current revision, as the label of its pods names it; empty while that is not known
 * @param pods its pods, of any revision
 * @param templateManagers the field managers that have changed the pod template since we last acted, newest first;
 *     Kubernetes does not record one that only removed fields
 * @param problems what is wrong with it in words, for its owner: parts that are too large to be kept, and are therefore
 *     missing. It must not be acted on while there are any
 */
public record Workload(
        WorkloadId id,
        String uid,
        String resourceVersion,
        long generation,
        Map<String, String> annotations,
        Map<String, String> templateAnnotations,
        List<Container> containers,
        List<String> imagePullSecrets,
        String serviceAccount,
        RolloutStatus rollout,
        Optional<String> currentRevision,
        List<Pod> pods,
        List<String> templateManagers,
        List<String> problems) {
    /** The annotation of the pod template with the digests that were last rolled out, see {@link DigestsAnnotation}. */
    public static final String DIGESTS = "urunner.io/digests";

    /** The annotation of the workload that records what was done with it, see {@link WorkloadState}. */
    public static final String STATE = "urunner.io/state";

    /** The annotation of the workload that {@code kubectl rollout history} shows for a revision. */
    public static final String CHANGE_CAUSE = "kubernetes.io/change-cause";

    /** The prefix of a change cause that we wrote; any other belongs to its author and stays. */
    public static final String OUR_CAUSE = "URunner: ";

    public Workload {
        annotations = Map.copyOf(annotations);
        templateAnnotations = Map.copyOf(templateAnnotations);
        containers = List.copyOf(containers);
        imagePullSecrets = List.copyOf(imagePullSecrets);
        pods = List.copyOf(pods);
        templateManagers = List.copyOf(templateManagers);
        problems = List.copyOf(problems);
    }

    /**
     * Creates a workload without problems.
     *
     * @param id which one
     * @param uid its uid
     * @param resourceVersion its version
     * @param generation its generation
     * @param annotations its own annotations
     * @param templateAnnotations the pod template's annotations
     * @param containers the containers and init containers of the template
     * @param imagePullSecrets the names of the template's pull secrets
     * @param serviceAccount the template's service account
     * @param rollout how far the controllers have got
     * @param currentRevision the revision that new pods get
     * @param pods its pods
     * @param templateManagers the field managers that have changed the pod template since we last acted
     */
    public Workload(
            WorkloadId id,
            String uid,
            String resourceVersion,
            long generation,
            Map<String, String> annotations,
            Map<String, String> templateAnnotations,
            List<Container> containers,
            List<String> imagePullSecrets,
            String serviceAccount,
            RolloutStatus rollout,
            Optional<String> currentRevision,
            List<Pod> pods,
            List<String> templateManagers) {
        this(
                id,
                uid,
                resourceVersion,
                generation,
                annotations,
                templateAnnotations,
                containers,
                imagePullSecrets,
                serviceAccount,
                rollout,
                currentRevision,
                pods,
                templateManagers,
                List.of());
    }
}
