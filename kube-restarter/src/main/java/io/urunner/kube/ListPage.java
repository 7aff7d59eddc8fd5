package io.urunner.kube;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/** A page of a list of the API server. */
final class ListPage {
    private ListPage() {}

    /**
     * Reads a page, one object after the other: only one of them is in memory as a tree at a time.
     *
     * @param item told each object
     * @return the metadata of the list
     */
    static JsonNode read(byte[] body, Consumer<JsonNode> item) {
        JsonNode metadata = KubeConnection.JSON.createObjectNode();
        try (JsonParser json = KubeConnection.JSON.createParser(body)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                if (field.equals("metadata")) {
                    metadata = json.readValueAsTree();
                } else if (field.equals("items") && json.currentToken() == JsonToken.START_ARRAY) {
                    while (json.nextToken() != JsonToken.END_ARRAY) {
                        item.accept(json.readValueAsTree());
                    }
                } else {
                    json.skipChildren();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return metadata;
    }
}
