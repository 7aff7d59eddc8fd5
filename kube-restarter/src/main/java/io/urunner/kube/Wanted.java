package io.urunner.kube;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.stream.Stream;

/**
 * The wanted fields of a kind of object, see {@link JsonSieve}.
 *
 * @param object of a single object
 * @param list of a list of objects
 * @param event of an event of a watch
 */
record Wanted(JsonNode object, JsonNode list, JsonNode event) {
    /** The length of a number, a flag or a short word. */
    private static final int SHORT = 32;

    private static final int LABEL = 64;
    private static final int NAME = 254;

    /** The same fields in all three. */
    static Wanted of(JsonNode object) {
        return new Wanted(
                object,
                ObservedJson.ANSWER.<ObjectNode>deepCopy().set("items", object),
                JsonSieve.wanted("{'type': 16}").<ObjectNode>deepCopy().set("object", object));
    }

    /** Those of a workload with this template and these further fields. */
    static Wanted ofWorkload(JsonPointer template, Stream<JsonPointer> fields) {
        ObjectNode object = ObservedJson.ANSWER.deepCopy();
        object.withObject(template).setAll((ObjectNode) ObservedJson.TEMPLATE.deepCopy());
        object.withObject("/spec").set("selector", ObservedJson.SELECTOR);
        object.withObject("/metadata/managedFields").put("manager", 128).put("time", LABEL);
        put(object, JsonPointer.compile("/metadata/managedFields").append(managedFields(template)), 1);
        fields.forEach(field -> put(object, field, field.matchesProperty("status") ? NAME : SHORT));
        return of(object);
    }

    /** Those of the revisions of these kinds. */
    static Wanted ofRevisions(RevisionKind keptAs, Collection<WorkloadKind> kinds) {
        ObjectNode object = ObservedJson.ANSWER.deepCopy();
        for (WorkloadKind kind : kinds) {
            put(object, kind.revisionNumber(), SHORT);
            object.withObject(keptAs.template(kind).appendProperty("metadata"))
                    .set("annotations", ObservedJson.ANNOTATIONS);
        }
        return of(labelled(object, kinds));
    }

    /** Those of the pods of these kinds. */
    static Wanted ofPods(Collection<WorkloadKind> kinds) {
        return of(labelled(ObservedJson.ANSWER.deepCopy(), kinds));
    }

    private static ObjectNode labelled(ObjectNode object, Collection<WorkloadKind> kinds) {
        kinds.stream()
                .map(WorkloadKind::revisionLabel)
                .filter(label -> !label.isEmpty())
                .forEach(label -> object.withObject("/metadata/labels").put(label, LABEL));
        return object;
    }

    private static void put(ObjectNode object, JsonPointer field, int length) {
        object.withObject(field.head()).put(field.last().getMatchingProperty(), length);
    }

    /** Where an entry of the managed fields has the fields at that place, see "server-side apply: field management". */
    static JsonPointer managedFields(JsonPointer place) {
        JsonPointer fields = JsonPointer.compile("/fieldsV1");
        for (JsonPointer each = place; !each.matches(); each = each.tail()) {
            fields = fields.appendProperty("f:" + each.getMatchingProperty());
        }
        return fields;
    }
}
