package io.urunner.kube;

import com.fasterxml.jackson.core.JsonPointer;

/** A field of a workload by which its rollout is judged, and where most kinds have it. */
enum StatusField {
    /** How many pods are wanted. */
    DESIRED("/spec/replicas"),
    /** Whether rollouts are paused. */
    PAUSED("/spec/paused"),
    /** The rollout strategy; only {@code OnDelete} matters. */
    STRATEGY("/spec/updateStrategy/type"),
    /** How many pods keep the old template. */
    PARTITION("/spec/updateStrategy/rollingUpdate/partition"),
    /** The generation that the controller has seen. */
    OBSERVED_GENERATION("/status/observedGeneration"),
    /** How many pods there are, of any revision. */
    TOTAL("/status/replicas"),
    /** How many pods are of the current revision. */
    UPDATED("/status/updatedReplicas"),
    /** How many pods are ready, of any revision. */
    READY("/status/readyReplicas"),
    /** How many pods are available, of any revision. */
    AVAILABLE("/status/availableReplicas");

    private final String usual;

    StatusField(String usual) {
        this.usual = usual;
    }

    JsonPointer usual() {
        return JsonPointer.compile(usual);
    }
}
