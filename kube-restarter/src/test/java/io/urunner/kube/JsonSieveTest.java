package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonSieveTest {
    private static List<JsonNode> sift(String wanted, String json) {
        List<JsonNode> found = new ArrayList<>();
        try {
            new JsonSieve(JsonSieve.wanted(wanted), found::add)
                    .feed(ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
        return found;
    }

    private static String one(String wanted, String json) {
        List<JsonNode> found = sift(wanted, json.replace('\'', '"'));
        assertThat(found).hasSize(1);
        return found.get(0).toString().replace('"', '\'');
    }

    @Test
    void onlyWantedFieldsPass() {
        assertThat(one("{'a': 9, 'b': {'c': 9}, 'l': {'n': 9}, 'p/*': 9}", """
                        {'x': [1, {'a': 2}], 'a' : 'text', 'b': {'c': true, 'd': '}'}, 'l': [{'n': -1.5e3, 'm': 0}, {}],
                         'p/q': null, 'pp': 1, 'y': '\\\\', 'z': 'a\\"}]{['}"""))
                .isEqualTo("{'a':'text','b':{'c':true},'l':[{'n':-1500.0},{}],'p/q':null}");
    }

    @Test
    void aFieldOfAnotherFormThanWantedIsOmitted() {
        assertThat(one("{'a': {'b': 9}, 'c': 9}", "{'a': 1, 'c': {'b': 'x'}}")).isEqualTo("{'c':null}");
        assertThat(one("{'a': {'b': 9}, 'c': 9}", "{'a': 'x', 'c': [{'b': 1}, [2], 3]}"))
                .isEqualTo("{'c':[null,[2],3]}");
        assertThat(one("{'a': 9}", "{'a': " + "9".repeat(100) + "}")).isEqualTo("{'a':null}");
    }

    @Test
    void textsAreTruncatedBetweenCharactersAndNotWithinAnEscape() throws Exception {
        for (String text : List.of("äöüß", "\u20ac\u20ac\u20ac\u20ac", "\"\\\"\\", "\n\u0001\n\u0001", "abcd")) {
            String json = KubeConnection.JSON.writeValueAsString(Map.of("a", text + "x".repeat(1_000), "b", "y"));
            assertThat(sift("{'a': 3, 'b': 1}", json))
                    .singleElement()
                    .satisfies(found -> assertThat(found.path("a").asText()).isEqualTo(text.substring(0, 3)))
                    .satisfies(found -> assertThat(found.path("b").asText()).isEqualTo("y"));
        }
    }

    @Test
    void whatExceedsALimitIsOmittedAndReported() {
        String many = "{'n': 'x'},".repeat(600);
        assertThat(one("{'a': {'b': {'n': 9}}, 'c': 9}", "{'a': {'b': [" + many + "{}]}, 'c': 1}"))
                .startsWith("{'a':{'b':[{'n':'x'},")
                .endsWith("' cut':'a.b has more than 500 entries'}")
                .hasSizeLessThan(500 * 11 + 100);
        assertThat(one("{'a': 1000000, 'b': 9}", "{'a': '" + "x".repeat(900_000) + "', 'b': 1}"))
                .hasSizeLessThan(530_000)
                .endsWith("xxx',' cut':'there is more than 512 kB of what is needed'}");
    }

    @Test
    void unwantedFieldsMayHaveAnyDepth() {
        String deep = "[{'x':".repeat(100_000) + "1" + "}]".repeat(100_000);
        assertThat(one("{'a': 9}", "{'b': " + deep + ", 'a': 1}")).isEqualTo("{'a':1}");
        String lists = "[".repeat(100_000) + "]".repeat(100_000);
        assertThat(one("{'a': 9, 'b': 9}", "{'b': " + lists + ", 'a': 1}")).endsWith("'a':1}");
    }

    /** Compared with Jackson: random documents, split at random places, of which everything possible is wanted. */
    @Test
    void theSievePassesWhatJacksonReads() throws Exception {
        Random random = new Random(7);
        JsonNode wanted = JsonSieve.wanted("{'*': {'*': {'*': {'*': 100}}}}");
        for (int i = 0; i < 300; i++) {
            ObjectNode document = (ObjectNode) object(random, 0);
            byte[] json = (random.nextBoolean() ? document.toPrettyString() : document.toString())
                    .getBytes(StandardCharsets.UTF_8);
            List<JsonNode> found = new ArrayList<>();
            JsonSieve sieve = new JsonSieve(wanted, found::add);
            for (int from = 0; from < json.length; ) {
                int to = Math.min(json.length, from + 1 + random.nextInt(20));
                sieve.feed(ByteBuffer.wrap(json, from, to - from));
                from = to;
            }
            assertThat(found).containsExactly(document);
            assertThat(sieve.isBetweenDocuments()).isTrue();
        }
    }

    private static JsonNode object(Random random, int depth) {
        ObjectNode object = KubeConnection.JSON.createObjectNode();
        for (int i = random.nextInt(4); i > 0; i--) {
            String name = "n" + random.nextInt(10);
            if (depth == 3) {
                object.set(name, leaf(random));
            } else if (random.nextBoolean()) {
                object.set(name, object(random, depth + 1));
            } else {
                ArrayNode array = object.putArray(name);
                for (int n = random.nextInt(3); n > 0; n--) {
                    array.add(object(random, depth + 1));
                }
            }
        }
        return object;
    }

    private static JsonNode leaf(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> KubeConnection.JSON.getNodeFactory().numberNode(random.nextInt());
            case 1 -> KubeConnection.JSON.getNodeFactory().booleanNode(random.nextBoolean());
            case 2 -> KubeConnection.JSON.getNodeFactory().nullNode();
            default -> {
                StringBuilder text = new StringBuilder();
                for (int i = random.nextInt(20); i > 0; i--) {
                    text.append("\"\\/{}[]:,\n\u0000 aäö€\uD83D\uDE00".charAt(random.nextInt(18)));
                }
                yield KubeConnection.JSON
                        .getNodeFactory()
                        .textNode(text.toString().replaceAll("[\\uD800-\\uDFFF]", "e"));
            }
        };
    }
}
