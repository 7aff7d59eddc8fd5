package io.urunner.agent.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.text.NastyStrings;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Tables on terminals of several widths, and the forms for machines. */
class TableTest {
    private static final String REASON = "container app: its image registry.example/team/app:latest moved from"
            + " sha256:0123456789ab to sha256:ba9876543210, and the pods of the new template crash (CrashLoopBackOff)";

    private static List<String> printed(Table table, Form.Format format, int width) {
        StringWriter out = new StringWriter();
        table.print(Terminal.on(new PrintWriter(out, true)), new Form(format, width));
        return out.toString().lines().toList();
    }

    private static Table table(String reason) {
        Table table = new Table(4, List.of("WORKLOAD", "STATE", "SINCE", "REASON"));
        table.row("shop/Deployment/web", "failed", "3 min ago", reason);
        table.row("shop/Deployment/web-2", "up to date", "2 h ago", "it is");
        return table;
    }

    @Test
    void aTableThatFitsIsNotWrapped() {
        assertThat(printed(table("it crashes"), Form.Format.TEXT, 80))
                .containsExactly(
                        "WORKLOAD               STATE       SINCE      REASON",
                        "shop/Deployment/web    failed      3 min ago  it crashes",
                        "shop/Deployment/web-2  up to date  2 h ago    it is");
    }

    @Test
    void longCellsAreWrappedAtWordsAndTheLastColumnFirst() {
        assertThat(printed(table("the pods of the new template crash: CrashLoopBackOff"), Form.Format.TEXT, 80))
                .containsExactly(
                        "WORKLOAD               STATE       SINCE      REASON",
                        "shop/Deployment/web    failed      3 min ago  the pods of the new template",
                        "                                              crash: CrashLoopBackOff",
                        "shop/Deployment/web-2  up to date  2 h ago    it is");
    }

    @Test
    void aLongTextGoesBelowItsRow() {
        assertThat(printed(table(REASON), Form.Format.TEXT, 80))
                .containsExactly(
                        "WORKLOAD               STATE       SINCE      REASON",
                        "shop/Deployment/web    failed      3 min ago",
                        "  container app: its image registry.example/team/app:latest moved from",
                        "  sha256:0123456789ab to sha256:ba9876543210, and the pods of the new template",
                        "  crash (CrashLoopBackOff)",
                        "shop/Deployment/web-2  up to date  2 h ago    it is");
    }

    @Test
    void aWordIsBrokenOnlyWhereNothingElseCanBeNarrower() {
        Table table = new Table("BACK", "DIGEST", "SINCE", "VERSION", "OUTCOME", "RESTORABLE", "RUN BY");
        table.row("0", "2dc0123456ab", "13 min ago", "1.2.3", "succeeded", "yes", "shop/Deployment/web");
        assertThat(printed(table, Form.Format.TEXT, 80))
                .containsExactly(
                        "BACK  DIGEST        SINCE    VERSION  OUTCOME    RESTORABLE  RUN BY",
                        "0     2dc0123456ab  13 min   1.2.3    succeeded  yes         shop/Deployment/web",
                        "                    ago");
        Table settings = new Table("SETTING", "ORIGIN", "VALUE");
        settings.row("store.path", "URUNNER_CONF_SQLLIGHT_PATH", "x".repeat(26));
        settings.row("registries[0].tls.verify", "default", "true");
        assertThat(printed(settings, Form.Format.TEXT, 76)).anyMatch(line -> line.contains("URUNNER_CONF_SQLLIGHT_ "));
    }

    @Test
    void veryLongTextsAreCutUnlessTheWideFormIsRequested() {
        assertThat(printed(table(REASON.repeat(3)), Form.Format.TEXT, 80))
                .hasSize(7)
                .anyMatch(line -> line.endsWith("…"));
        assertThat(printed(table(REASON), Form.Format.WIDE, 40))
                .hasSize(3)
                .anySatisfy(line -> assertThat(line).endsWith(REASON));
    }

    @Test
    void withoutRoomForColumnsEachRowBecomesSeveralLines() {
        assertThat(printed(table("the pods of the new template crash"), Form.Format.TEXT, 40))
                .containsExactly(
                        "WORKLOAD  shop/Deployment/web",
                        "STATE     failed",
                        "SINCE     3 min ago",
                        "REASON    the pods of the new template",
                        "          crash",
                        "",
                        "WORKLOAD  shop/Deployment/web-2",
                        "STATE     up to date",
                        "SINCE     2 h ago",
                        "REASON    it is");
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 80, 120})
    void nothingIsWiderThanTheTerminal(int width) {
        List<String> texts = List.of(
                REASON,
                "日本語のテキストがここにあります。".repeat(8),
                "🚀🎉✅".repeat(40),
                "é".repeat(100),
                "x".repeat(500),
                "a/b/c/".repeat(60),
                " ".repeat(90) + "end");
        for (String text : texts) {
            assertThat(printed(table(text), Form.Format.TEXT, width))
                    .allSatisfy(line -> assertThat(columns(line)).isLessThanOrEqualTo(width));
        }
        for (String text : NastyStrings.all()) {
            Table table = new Table("WORKLOAD", "STATE", "REASON");
            table.row(text, text, text);
            assertThat(printed(table, Form.Format.TEXT, width)).allSatisfy(line -> {
                NastyStrings.assertHarmless(line);
                assertThat(columns(line)).isLessThanOrEqualTo(width);
            });
        }
    }

    /** Wide characters by the blocks that these tests use. */
    private static int columns(String line) {
        return line.codePoints()
                .map(character -> switch (Character.getType(character)) {
                    case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK -> 0;
                    default ->
                        Character.isIdeographic(character)
                                        || (character >= 0x3000 && character < 0x3100)
                                        || (character >= 0x1F300 && character < 0x1FB00)
                                        || character == 0x2705
                                ? 2
                                : 1;
                })
                .sum();
    }

    @Test
    void columnsStayAlignedForAnyContent() {
        Table table = new Table("NAME", "STATE");
        table.row("日本", "ok");
        table.row("🚀", "ok");
        table.row("e\u0301", "ok");
        assertThat(printed(table, Form.Format.TEXT, 80))
                .containsExactly("NAME  STATE", "日本  ok", "🚀    ok", "e\u0301     ok");
    }

    static List<String> texts() {
        return List.of(
                "yes",
                "no",
                "on",
                "Off",
                "null",
                "~",
                "true",
                "1",
                "1.5",
                "0x10",
                "2026-02-03",
                "2026-02-03T14:05:00Z",
                "",
                " a ",
                "a: b",
                "a #b",
                "- a",
                "*a",
                "&a",
                "!a",
                "%a",
                "@a",
                "`a",
                "a\\b",
                "\"",
                "'",
                "[a]",
                "{a}",
                "a, b",
                "shop/Deployment/web",
                "up to date",
                "registry.example:5000/team/app:latest@sha256:0123",
                "12:30:45",
                "é",
                "日本",
                "🚀",
                "x".repeat(300) + " " + "y".repeat(300),
                "=",
                "<<",
                "y",
                "n",
                "? a",
                ":");
    }

    @ParameterizedTest
    @MethodSource("texts")
    void yamlHasTheSameContentAsJson(String text) throws Exception {
        ObjectNode json =
                JsonNodeFactory.instance.objectNode().put("text", text).put("number", 3);
        json.put("flag", true)
                .putArray("list")
                .add(text)
                .addObject()
                .put("a", text)
                .put("b", text);
        json.putArray("none");
        json.putObject("empty");
        if (!text.isEmpty()) {
            json.put(text, "as a name");
        }

        Object read = new Load(LoadSettings.builder().build()).loadFromString(Yaml.of(json));
        assertThat(new ObjectMapper().<JsonNode>valueToTree(read)).isEqualTo(json);
        // YAML 1.1 parsers must not mistake a text for something else either.
        Object old = new org.yaml.snakeyaml.Yaml().load(Yaml.of(json));
        assertThat(new ObjectMapper().<JsonNode>valueToTree(old)).isEqualTo(json);
    }

    @Test
    void theSchemasVersionComesFirst() {
        record Document(String workload) {}
        Document document = new Document("shop/Deployment/web");
        assertThat(new Form(Form.Format.JSON, 80).print(document))
                .isEqualTo("{\n  \"schema\" : 1,\n  \"workload\" : \"shop/Deployment/web\"\n}\n");
        assertThat(new Form(Form.Format.YAML, 80).print(document))
                .isEqualTo("schema: 1\nworkload: shop/Deployment/web\n");
    }
}
