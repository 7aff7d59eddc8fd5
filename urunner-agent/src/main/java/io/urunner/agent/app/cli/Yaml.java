package io.urunner.agent.app.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.StreamDataWriter;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Writes JSON as YAML that readers of YAML 1.1 and 1.2 understand in the same way. */
final class Yaml {
    /** Texts that are strings in every version of YAML. */
    private static final Pattern PLAIN = Pattern.compile("(?!(?i:y|n|yes|no|on|off|true|false|null|nan|inf)$)"
            + "[A-Za-z][\\w./@-]*(?::[\\w./@-]+)*(?: [A-Za-z][\\w./@-]*)*");

    private Yaml() {}

    /** The document, with a new line at its end. */
    static String of(JsonNode json) {
        DumpSettings settings = DumpSettings.builder()
                .setDefaultFlowStyle(FlowStyle.BLOCK)
                .setIndicatorIndent(2)
                .setIndentWithIndicator(true)
                .setWidth(Integer.MAX_VALUE)
                .setSplitLines(false)
                .build();
        Text text = new Text();
        new Dump(settings).dumpNode(node(json), text);
        return text.written.toString();
    }

    private static Node node(JsonNode json) {
        if (json.isObject()) {
            List<NodeTuple> fields = new ArrayList<>();
            json.properties().forEach(each -> fields.add(new NodeTuple(text(each.getKey()), node(each.getValue()))));
            return new MappingNode(Tag.MAP, fields, json.isEmpty() ? FlowStyle.FLOW : FlowStyle.BLOCK);
        }
        if (json.isArray()) {
            List<Node> items = new ArrayList<>();
            json.forEach(each -> items.add(node(each)));
            return new SequenceNode(Tag.SEQ, items, json.isEmpty() ? FlowStyle.FLOW : FlowStyle.BLOCK);
        }
        if (json.isTextual()) {
            return text(json.textValue());
        }
        Tag tag =
                json.isBoolean() ? Tag.BOOL : json.isNull() ? Tag.NULL : json.isIntegralNumber() ? Tag.INT : Tag.FLOAT;
        return new ScalarNode(tag, json.asText(), ScalarStyle.PLAIN);
    }

    private static Node text(String text) {
        return new ScalarNode(
                Tag.STR, text, PLAIN.matcher(text).matches() ? ScalarStyle.PLAIN : ScalarStyle.DOUBLE_QUOTED);
    }

    private static final class Text implements StreamDataWriter {
        private final StringBuilder written = new StringBuilder();

        @Override
        public void write(String text) {
            written.append(text);
        }

        @Override
        public void write(String text, int offset, int length) {
            written.append(text, offset, offset + length);
        }
    }
}
