package io.urunner.kube;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.kube.KubeConnection.Answer;
import io.urunner.kube.KubeConnection.Call;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Writes Kubernetes Events about workloads, so that {@code kubectl describe} shows what happened. Repeating an event
 * increments its count. Thread-safe; blocks until the API server answers.
 */
public final class KubeEvents {
    private static final int LONGEST_MESSAGE = 1024;
    private static final int REMEMBERED = 4096;

    private final KubeConnection connection;
    private final String component;
    private final String instance;
    private final InstantSource clock;
    private final Map<String, Integer> counts;

    /**
     * Creates a writer of Events.
     *
     * @param connection a connection to the cluster; the caller closes it
     * @param component who reports, for example {@code urunner}
     * @param instance the instance, for example the name of the pod
     * @param clock the time of the events
     */
    public KubeEvents(KubeConnection connection, String component, String instance, InstantSource clock) {
        this.connection = connection;
        this.component = component;
        this.instance = instance;
        this.clock = clock;
        this.counts = Collections.synchronizedMap(new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
                return size() > REMEMBERED;
            }
        });
    }

    /** The type of an event. */
    public enum Type {
        /** Nothing is wrong. */
        NORMAL,
        /** Somebody should take a look. */
        WARNING
    }

    /**
     * Writes an event. Events of one workload with the same type, reason and message are one event with a count.
     *
     * @param workload the workload it is about
     * @param type its type
     * @param reason the reason in one CamelCase word, for example {@code RolloutStarted}
     * @param message the event in words; truncated after 1024 characters
     * @throws KubeException if the API server refused or could not be reached
     */
    public void write(Workload workload, Type type, String reason, String message) throws KubeException {
        write(workload, type, reason, message, false);
    }

    /**
     * Writes an event, or optionally leaves an existing one as it is.
     *
     * @param workload the workload it is about
     * @param type its type
     * @param reason the reason in one CamelCase word, for example {@code RolloutStarted}
     * @param message the event in words; truncated after 1024 characters
     * @param once whether it happened once although several instances may report it: an existing event is left as it is
     * @throws KubeException if the API server refused or could not be reached
     */
    public void write(Workload workload, Type type, String reason, String message, boolean once) throws KubeException {
        String cut = message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE - 1) + "…";
        String namespace = workload.id().namespace();
        String name = name(workload, type, reason, cut);
        String path = ApiResource.EVENTS.path(Optional.of(namespace));
        String object = ApiResource.EVENTS.path(namespace, name);
        Action doing = ApiResource.EVENTS.action("create", Optional.of(namespace));
        int count = once ? counts.getOrDefault(name, 1) : counts.merge(name, 1, Integer::sum);
        // The name shows whether another instance, or an earlier run of this one, has already written the same event.
        if (!once && count > 1 && again(object, count, namespace)) {
            return;
        }
        Answer answer = connection.send(
                new Call("POST", path, KubeConnection.JSON_TYPE, event(workload, type, reason, cut, name)), doing);
        if (answer.status() == 409 && once) {
            counts.putIfAbsent(name, 1);
        } else if (answer.status() == 409) {
            counts.put(name, Math.max(2, count));
            again(object, Math.max(2, count), namespace);
        } else if (answer.status() == 201) {
            counts.put(name, 1);
        } else if (answer.status() != 404 && !isTerminating(answer)) {
            throw connection.refused(doing, answer);
        }
    }

    /** Whether nothing can be created because the namespace is terminating: that is answered with 403, too. */
    private static boolean isTerminating(Answer answer) {
        return answer.body().at("/details/causes/0/reason").asText().equals("NamespaceTerminating");
    }

    /** Increments the count of an event; false if it is gone: events expire after an hour. */
    private boolean again(String path, int count, String namespace) throws KubeException {
        ObjectNode patch = KubeConnection.JSON.createObjectNode();
        patch.put("count", count).put("lastTimestamp", now());
        Action doing = ApiResource.EVENTS.action("patch", Optional.of(namespace));
        Answer answer =
                connection.send(new Call("PATCH", path, "application/merge-patch+json", patch.toString()), doing);
        return switch (answer.status()) {
            case 200 -> true;
            case 404 -> false;
            default -> throw connection.refused(doing, answer);
        };
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private String event(Workload workload, Type type, String reason, String message, String name) {
        ObjectNode event = KubeConnection.JSON.createObjectNode();
        event.put("apiVersion", "v1").put("kind", "Event");
        event.putObject("metadata")
                .put("name", name)
                .put("namespace", workload.id().namespace());
        event.putObject("involvedObject")
                .put("apiVersion", workload.id().kind().apiVersion())
                .put("kind", workload.id().kind().kind())
                .put("namespace", workload.id().namespace())
                .put("name", workload.id().name())
                .put("uid", workload.uid())
                .put("resourceVersion", workload.resourceVersion());
        event.putObject("source").put("component", component);
        return event.put("type", type == Type.NORMAL ? "Normal" : "Warning")
                .put("reason", reason)
                .put("message", message)
                .put("firstTimestamp", now())
                .put("lastTimestamp", now())
                .put("count", 1)
                .put("reportingComponent", component)
                .put("reportingInstance", instance)
                .toString();
    }

    /** The same event always gets the same name. */
    private static String name(Workload workload, Type type, String reason, String message) {
        String what = workload.uid() + "\n" + type + "\n" + reason + "\n" + message;
        String hash = UUID.nameUUIDFromBytes(what.getBytes(StandardCharsets.UTF_8))
                .toString()
                .replace("-", "")
                .substring(0, 16);
        String name = workload.id().name();
        return name.substring(0, Math.min(name.length(), 200)).replaceAll("[-.]+$", "") + "." + hash;
    }
}
