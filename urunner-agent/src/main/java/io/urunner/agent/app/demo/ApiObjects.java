package io.urunner.agent.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The objects of the stand-in for the API server, with their versions and the events that watchers follow. Thread-safe.
 */
final class ApiObjects {
    static final ObjectMapper JSON = new ObjectMapper();

    /** More events than can happen while a watcher handles the previous one. */
    private static final int KEPT_EVENTS = 1_000;

    /**
     * A change of an object.
     *
     * @param type {@code ADDED}, {@code MODIFIED} or {@code DELETED}
     * @param resource the resource, for example {@code deployments}
     * @param version the version after the change
     * @param object the object after the change
     */
    record Event(String type, String resource, long version, ObjectNode object) {}

    /** The object has changed since the version in the request. */
    static final class ConflictException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private final Map<String, ObjectNode> objects = new TreeMap<>();
    private final Deque<Event> events = new ArrayDeque<>();
    private long version = 1;

    synchronized long version() {
        return version;
    }

    synchronized ObjectNode put(String resource, ObjectNode object) {
        ObjectNode metadata = object.withObject("/metadata");
        String key = key(
                resource,
                metadata.path("namespace").asText(),
                metadata.path("name").asText());
        ObjectNode before = objects.get(key);
        if (before == null) {
            metadata.put("uid", "uid-" + (version + 1)).put("creationTimestamp", "2026-01-01T00:00:00Z");
        }
        boolean changed = before == null || !before.path("spec").equals(object.path("spec"));
        long generation =
                before == null ? 0 : before.path("metadata").path("generation").asLong();
        metadata.put("generation", changed ? generation + 1 : generation);
        metadata.put("resourceVersion", Long.toString(++version));
        objects.put(key, object);
        record(before == null ? "ADDED" : "MODIFIED", resource, object);
        return object.deepCopy();
    }

    /** Changes the current version of an object; does nothing if it is gone. */
    synchronized void edit(String resource, String namespace, String name, Consumer<ObjectNode> change) {
        get(resource, namespace, name).ifPresent(object -> {
            change.accept(object);
            put(resource, object);
        });
    }

    /** A strategic merge patch, guarded by {@code metadata.resourceVersion} if the patch names one. */
    synchronized Optional<ObjectNode> patch(String resource, String namespace, String name, JsonNode patch)
            throws ConflictException {
        Optional<ObjectNode> found = get(resource, namespace, name);
        if (found.isEmpty()) {
            return found;
        }
        ObjectNode object = found.get();
        JsonNode planned = patch.path("metadata").path("resourceVersion");
        if (planned.isTextual() && !planned.equals(object.path("metadata").path("resourceVersion"))) {
            throw new ConflictException();
        }
        merge(object, patch);
        return Optional.of(put(resource, object));
    }

    synchronized void delete(String resource, String namespace, String name) {
        ObjectNode object = objects.remove(key(resource, namespace, name));
        if (object != null) {
            object.withObject("/metadata").put("resourceVersion", Long.toString(++version));
            record("DELETED", resource, object);
        }
    }

    synchronized Optional<ObjectNode> get(String resource, String namespace, String name) {
        return Optional.ofNullable(objects.get(key(resource, namespace, name))).map(ObjectNode::deepCopy);
    }

    /** The objects of a resource, of all namespaces if the namespace is empty. */
    synchronized List<ObjectNode> list(String resource, String namespace) {
        String prefix = resource + "/" + (namespace.isEmpty() ? "" : namespace + "/");
        return objects.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .map(entry -> entry.getValue().deepCopy())
                .toList();
    }

    /** The events after a version; waits while there are none yet. */
    synchronized List<Event> eventsAfter(long after) throws InterruptedException {
        while (version <= after) {
            wait();
        }
        return events.stream().filter(event -> event.version() > after).toList();
    }

    private void record(String type, String resource, ObjectNode object) {
        events.add(new Event(type, resource, version, object.deepCopy()));
        if (events.size() > KEPT_EVENTS) {
            events.remove();
        }
        notifyAll();
    }

    private static String key(String resource, String namespace, String name) {
        return resource + "/" + namespace + "/" + name;
    }

    private static void merge(ObjectNode target, JsonNode patch) {
        for (Map.Entry<String, JsonNode> field : patch.properties()) {
            JsonNode value = field.getValue();
            JsonNode old = target.get(field.getKey());
            if (value.isNull()) {
                target.remove(field.getKey());
            } else if (value.isObject()) {
                merge(old instanceof ObjectNode object ? object : target.putObject(field.getKey()), value);
            } else if (value.isArray()
                    && old instanceof ArrayNode array
                    && value.path(0).has("name")) {
                value.forEach(element -> mergeByName(array, element));
            } else {
                target.set(field.getKey(), value.deepCopy());
            }
        }
    }

    private static void mergeByName(ArrayNode array, JsonNode element) {
        for (JsonNode old : array) {
            if (old.path("name").equals(element.path("name"))) {
                merge((ObjectNode) old, element);
                return;
            }
        }
        array.add(element.deepCopy());
    }
}
