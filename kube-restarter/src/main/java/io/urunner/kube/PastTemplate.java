package io.urunner.kube;

import java.time.Instant;
import java.util.Map;

/**
 * A template that a workload has or had, kept by the cluster as a ReplicaSet or a ControllerRevision.
 *
 * @param name the name of the object that keeps it
 * @param revision its number: the highest is the template now
 * @param created when the object was made
 * @param annotations those of the workload's own annotations at that time whose name starts with {@code urunner.io/}: the
 *     controllers copy them to the object
 * @param templateAnnotations those of the template's annotations whose name starts with {@code urunner.io/}
 */
public record PastTemplate(
        String name,
        long revision,
        Instant created,
        Map<String, String> annotations,
        Map<String, String> templateAnnotations) {
    public PastTemplate {
        annotations = Map.copyOf(annotations);
        templateAnnotations = Map.copyOf(templateAnnotations);
    }
}
