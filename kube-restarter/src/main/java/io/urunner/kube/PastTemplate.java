package io.urunner.kube;

import java.time.Instant;
import java.util.Map;

/**
 * A template that a workload has or had, which the cluster keeps as a ReplicaSet or a ControllerRevision.
 *
 * @param name the name of the object that keeps it
 * @param revision its number: the highest one is the current template
 * @param created when the object was created
 * @param annotations the workload's own annotations at that time whose names start with {@code urunner.io/}: the
 *     controllers copy them to the object
 * @param templateAnnotations the template's annotations whose names start with {@code urunner.io/}
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
