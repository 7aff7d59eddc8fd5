package io.urunner.kube;

import java.time.InstantSource;

/**
 * Writes Kubernetes Events on workloads, so that {@code kubectl describe} tells what happened. The same event again raises
 * the count of the first. Thread-safe; blocks until the API server answers.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class KubeEvents {
    /**
     * A writer of events.
     *
     * @param connection to which cluster; stays the caller's to close
     * @param component who reports, for example {@code urunner}
     * @param instance which of several, for example the name of the pod
     * @param clock the time of the events
     */
    public KubeEvents(KubeConnection connection, String component, String instance, InstantSource clock) {}

    /** The type of an event. */
    public enum Type {
        /** All is well. */
        NORMAL,
        /** Somebody should look. */
        WARNING
    }

    /**
     * Writes an event. Events of one workload with the same type, reason and message are one event with a count.
     *
     * @param workload the workload it is about
     * @param type its type
     * @param reason the reason in one CamelCase word, for example {@code RolloutStarted}
     * @param message the event in words; what is longer than 1024 characters is cut
     * @throws KubeException if the API server refused or could not be reached
     */
    public void write(Workload workload, Type type, String reason, String message) throws KubeException {
        throw new KubeException("not yet", KubeException.NO_ANSWER);
    }
}
