package io.urunner.kube;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A workload as it was seen at one moment: the few fields that are needed, not the object. Immutable.
 *
 * @param id which one
 * @param uid its uid: a workload that was deleted and made again has another
 * @param resourceVersion its version; what is planned on this snapshot is patched on this version
 * @param generation its generation: counts the changes of its specification
 * @param annotations those of its own annotations whose name starts with {@code urunner.io/}, and the beginning of
 *     {@link #CHANGE_CAUSE}; {@link #STATE} is the newest that is known, though an undo took it from the workload
 * @param templateAnnotations those of the pod template's annotations whose name starts with {@code urunner.io/}
 * @param containers the containers and init containers of the template
 * @param imagePullSecrets the names of the template's pull secrets
 * @param serviceAccount the template's service account, {@code default} if it names none
 * @param rollout how far the controllers are
 * @param currentRevision the revision that new pods get, as their label says it; empty while that is not known
 * @param pods its pods, of any revision
 * @param templateManagers the field managers that changed the pod template since we acted last, newest first; one that
 *     only removed fields is not noted by Kubernetes
 * @param problems what is wrong with it in words, for its owner: what of it is too large to be kept, and therefore is not
 *     among the rest. While there is any, it must not be acted on
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
    /** The annotation of the pod template that says what was last acted on, see {@link DigestsAnnotation}. */
    public static final String DIGESTS = "urunner.io/digests";

    /** The annotation of the workload that says what was done with it, see {@link WorkloadState}. */
    public static final String STATE = "urunner.io/state";

    /** The annotation of the workload that {@code kubectl rollout history} shows of a revision. */
    public static final String CHANGE_CAUSE = "kubernetes.io/change-cause";

    /** How a change's cause begins that we wrote; another one is its writer's, and stays. */
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
     * A workload of which all is kept.
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
     * @param rollout how far the controllers are
     * @param currentRevision the revision that new pods get
     * @param pods its pods
     * @param templateManagers the field managers that changed the pod template since we acted last
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
