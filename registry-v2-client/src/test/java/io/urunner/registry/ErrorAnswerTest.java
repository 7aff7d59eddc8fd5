package io.urunner.registry;

import static io.urunner.registry.FakeServer.manifest;
import static io.urunner.registry.FakeServer.status;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The registry's own words, in all the forms in which registries, token servers and gateways say them. */
class ErrorAnswerTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);

    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> manifest(DIGEST)));

    private RegistryClient client() {
        return open.add(RegistryClient.builder().attempts(1).build());
    }

    /** The last columns are whether a registry or token server speaks, and what an exception shows. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'errors':[{'code':'DENIED','message':'no','detail':{'a':[1]}}]} | true | DENIED (no: {'a':[1]})",
                "{'errors':[{'code':'DENIED','message':'no','detail':'ask the owner'}]} | true | DENIED (no: ask the owner)",
                "{'errors':[{'code':'DENIED','message':'no','detail':'no'}]} | true | DENIED (no)",
                "{'errors':[{'code':'DENIED','message':'no','detail':null}]} | true | DENIED (no)",
                "{'errors':[{'code':'DENIED','message':'no','detail':{}}]} | true | DENIED (no)",
                "{'errors':[{'code':'DENIED','message':'','detail':'why'}]} | true | DENIED (why)",
                "{'errors':[{'code':'DENIED'}]} | true | DENIED",
                // Artifactory has a status instead of a code
                "{'errors':[{'status':401,'message':'Bad props auth token'}]} | true | UNKNOWN (Bad props auth token)",
                "{'errors':['not now']} | false | UNKNOWN (not now)",
                "[{'code':'DENIED','message':'no'}] | true | DENIED (no)",
                "\uFEFF{'errors':[{'code':'DENIED','message':'no'}]} | true | DENIED (no)",
                "{'errors':{'code':'DENIED','message':'no'}} | true | DENIED (no)",
                // OAuth
                "{'error':'invalid_grant','error_description':'it has expired'} | true | invalid_grant (it has expired)",
                "{'error':'invalid_grant'} | true | invalid_grant",
                "{'error':'You must sign in'} | true | UNKNOWN (You must sign in)",
                "{'error':{'code':403,'message':'no such project','status':'PERMISSION_DENIED'}} | false | 403 (no such project)",
                // Docker Hub's token server
                "{'details':'incorrect username or password'} | true | UNKNOWN (incorrect username or password)",
                // DigitalOcean's
                "{'id':'Unauthorized','message':'Unable to sign in'} | true | UNKNOWN (Unable to sign in)",
                "{'detail':'object not found'} | false | UNKNOWN (object not found)",
                "{'message':'Forbidden'} | false | UNKNOWN (Forbidden)",
                "{'code':'E7','message':'gone','details':'since May'} | true | E7 (gone: since May)",
                "{'title':'Forbidden','status':403,'detail':'not from here'} | false | UNKNOWN (Forbidden: not from here)",
                "blocked by policy | false | UNKNOWN (blocked by policy)",
                "'blocked' | false | UNKNOWN (blocked)",
                "{'Reason': 'quota'} | false | UNKNOWN ({'Reason': 'quota'})",
            })
    void readsWhatIsSaid(String body, boolean specified, String shown) {
        ErrorAnswer answer = answer(body.replace('\'', '"'));

        assertThat(answer.errors()).hasToString("[" + shown.replace('\'', '"') + "]");
        assertThat(answer.isSpecified()).isEqualTo(specified);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{}",
                "[]",
                "null",
                "7",
                "{'errors':[]}",
                "{'errors':null}",
                "{'errors':[{}]}",
                "{'errors':[null,7,[]]}",
                "{'message':''}",
                "{'message':'','x':1}",
                "{'error':null}",
                "{'error':''}",
                "<html><body>Forbidden</body></html>",
                "\uFEFF<html>Forbidden</html>",
                "\uFEFF",
                "[{}]",
                "\n\t<!DOCTYPE html>",
            })
    void findsNothingWhereNothingIsSaid(String body) {
        ErrorAnswer answer = answer(body.replace('\'', '"'));

        assertThat(answer.errors()).isEmpty();
        assertThat(answer.isSpecified()).isFalse();
    }

    @Test
    void keepsTheFirstFiveErrorsAndBoundsTheirTexts() {
        String entry = "{\"code\":\"C\",\"message\":\"" + "word ".repeat(2000) + "\",\"detail\":[\""
                + "x\",\"".repeat(2000) + "\"]},";
        ErrorAnswer answer = answer("{\"errors\":[" + entry + entry + "7]}");
        ErrorAnswer many = answer("{\"errors\":[" + "{\"code\":\"C\"},".repeat(20) + "{\"code\":\"D\"}]}");

        assertThat(answer.errors()).hasSize(2).allSatisfy(error -> {
            assertThat(error.message()).startsWith("word word").hasSizeBetween(250, 301);
            assertThat(error.detail()).startsWith("[\"x\"").hasSizeBetween(250, 301);
        });
        assertThat(many.errors()).hasSize(5);
    }

    /** What is too long, too deep or too much for one answer hides no code. */
    @ParameterizedTest
    @ValueSource(strings = {"many", "deep", "long", "broken off", "followed"})
    void readsTheBeginningOfAnAnswerThatIsTooMuch(String kind) {
        String first = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"";
        String rest = switch (kind) {
            case "many" -> "}" + ",{\"code\":\"DENIED\",\"message\":\"no\"}".repeat(20_000) + "]}";
            case "deep" -> ",\"detail\":" + "[".repeat(500) + "]".repeat(500) + "}]}";
            case "long" -> ",\"detail\":\"" + "x".repeat(500_000) + "\"}]}";
            case "broken off" -> ",\"det";
            default -> "}]}{}";
        };
        registry.answer(request -> status(403).setBody(first + rest));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client().manifest(registry.image("team/app")))
                .withMessageContaining("HTTP 403 DENIED (no")
                .matches(e -> !e.isTransient())
                .satisfies(e -> assertThat(e.errors()).hasSizeBetween(1, 5));
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                0x00, 0x07, 0x08, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xA0, 0xAD, 0x034F, 0x061C, 0x115F, 0x1160,
                0x17B4, 0x180E, 0x200B, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2060, 0x2066, 0x2069,
                0x2800, 0x3000, 0x3164, 0xE000, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xE0041, 0xE0100,
            })
    void makesCharactersHarmlessThatHaveAnEffectOrAreNotSeen(int character) {
        String harmful = "a" + Character.toString(character) + "b";
        String escaped =
                harmful.chars().mapToObj(c -> String.format("\\u%04x", c)).reduce("", String::concat);
        registry.answer(request -> status(403)
                .setBody("{\"errors\":[{\"code\":\"" + escaped + "\",\"message\":\"" + escaped + "\",\"detail\":{\""
                        + escaped + "\":\"" + escaped + "\"}}]}"));

        assertThatExceptionOfType(DeniedException.class)
                .isThrownBy(() -> client().manifest(registry.image("team/app")))
                .satisfies(e -> assertThat(e.getMessage().codePoints()).doesNotContain(character))
                .satisfies(e -> assertThat(e.errors()).singleElement().satisfies(error -> {
                    assertThat(error.code()).isEqualTo("a b");
                    assertThat(error.message()).isEqualTo("a b");
                    assertThat(error.detail().codePoints()).doesNotContain(character);
                }));
    }

    @Test
    void keepsLettersOfAllLanguages() {
        for (String text : List.of("naïve", "नमस्ते", "עברית", "日本語", "e\u0301\u0323")) {
            assertThat(answer("{\"message\":\"" + text + "\"}").errors())
                    .containsExactly(new OciError("UNKNOWN", text));
        }
        assertThat(answer("{\"message\":\"a" + "\u0301".repeat(40) + "b\"}").errors())
                .containsExactly(new OciError("UNKNOWN", "a" + "\u0301".repeat(4) + " b"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'errors':[{'code':'X','detail':{'password':'s3cret77'}}]}",
                "{'errors':[{'code':'X','detail':{'Authorization':'Basic s3cret77s3cret77'}}]}",
                "{'message':'at https://ci:s3cret77@host/','details':{'access_token':'s3cret77'}}",
                "{'error':'invalid_request','error_description':'Authorization: Bearer s3cret77s3cret77 is no token'}",
                "cannot open https://host/?token=s3cret77",
            })
    void showsNoSecretThatIsSentBack(String body) {
        assertThat(answer(body.replace('\'', '"')).errors())
                .isNotEmpty()
                .allSatisfy(error -> assertThat(error.toString()).doesNotContain("s3cret77"));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 405, 501})
    void saysThatTheDeletionOfTagsIsNotSupported(int status) {
        registry.answer(request -> status(status)
                .setBody("{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"The operation is unsupported.\","
                        + "\"detail\":\"delete by digest\"}]}"));
        Repository repository = registry.image("team/app").toRepository();

        assertThatExceptionOfType(ProtocolViolationException.class)
                .isThrownBy(() -> client().deleteTag(repository, "old"))
                .withMessageContaining("cannot delete " + repository + ":old")
                .withMessageContaining("UNSUPPORTED (The operation is unsupported.: delete by digest)")
                .withMessageContaining("the registry does not support this");
    }

    @Test
    void quotesAFailingServer() {
        registry.answer(request -> status(503).setBody("{\"message\":\"maintenance until noon\"}"));

        assertThatExceptionOfType(UnavailableException.class)
                .isThrownBy(() -> client().manifest(registry.image("team/app")))
                .withMessageContaining("HTTP 503 UNKNOWN (maintenance until noon)");
    }

    private static ErrorAnswer answer(String body) {
        return ErrorAnswer.of(body.getBytes(StandardCharsets.UTF_8));
    }
}
