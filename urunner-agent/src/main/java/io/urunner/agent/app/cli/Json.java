package io.urunner.agent.app.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.urunner.agent.text.Phrases;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * Converts the records that commands print as JSON: each component is a member of the same name, an empty {@code Optional}
 * is left out, and times are in whole seconds in UTC.
 */
final class Json {
    private static final ObjectMapper MAPPER = mapper();

    private Json() {}

    private static ObjectMapper mapper() {
        SimpleModule types = new SimpleModule()
                .addSerializer(Optional.class, new WithoutEmpty())
                .addSerializer(Instant.class, new WholeSeconds())
                .addSerializer(WorkloadId.class, ToStringSerializer.instance)
                .addSerializer(ImageReference.class, ToStringSerializer.instance)
                .addSerializer(Digest.class, ToStringSerializer.instance);
        JsonMapper mapper = JsonMapper.builder().addModule(types).build();
        mapper.configOverride(Optional.class)
                .setInclude(JsonInclude.Value.construct(JsonInclude.Include.NON_EMPTY, JsonInclude.Include.ALWAYS));
        return mapper;
    }

    /** The record as JSON. */
    static ObjectNode of(Record document) {
        return MAPPER.valueToTree(document);
    }

    /** Parses JSON that this program wrote. */
    static JsonNode parse(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("JSON of our own cannot be parsed", e);
        }
    }

    @SuppressWarnings("rawtypes") // serializers are found by the class alone
    private static final class WithoutEmpty extends JsonSerializer<Optional> {
        @Override
        public boolean isEmpty(SerializerProvider provider, Optional value) {
            return value.isEmpty();
        }

        @Override
        public void serialize(Optional value, JsonGenerator json, SerializerProvider provider) throws IOException {
            provider.defaultSerializeValue(value.orElseThrow(), json);
        }
    }

    private static final class WholeSeconds extends JsonSerializer<Instant> {
        @Override
        public void serialize(Instant time, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeString(Phrases.time(time));
        }
    }
}
