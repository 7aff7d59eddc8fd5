package io.urunner.registry.dockerconfig;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads JSON that holds secrets: what it throws says where the text is wrong, not what stands there. */
final class ConfigJson {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private ConfigJson() {}

    /**
     * Reads a JSON object.
     *
     * @throws IllegalArgumentException if it is not one, with the place, without a cause
     */
    static JsonNode object(byte[] json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            @Nullable JsonLocation at = e.getLocation();
            throw new IllegalArgumentException(
                    "not JSON" + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()));
        } catch (IOException e) {
            throw new IllegalArgumentException("not text");
        }
        if (root == null || !root.isObject()) {
            throw new IllegalArgumentException("not a JSON object");
        }
        return root;
    }

    /**
     * A field that is an object; where it is missing or null, an empty one.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static JsonNode object(JsonNode parent, String field) {
        @Nullable JsonNode child = parent.get(field);
        if (child == null || child.isNull()) {
            return JSON.createObjectNode();
        }
        if (!child.isObject()) {
            throw new IllegalArgumentException("its " + field + " is not a JSON object");
        }
        return child;
    }
}
