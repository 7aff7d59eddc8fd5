package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenTest {
    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");

    /** The last column is the number of seconds for which the token is used. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // GitLab, Quay, Gitea: only token, which lives 60 s unless it says otherwise
                "{'token':'t'} | t | 54",
                // ACR: only access_token
                "{'access_token':'a'} | a | 54",
                // Harbor: an empty access_token
                "{'token':'t','access_token':'','expires_in':1800,'issued_at':'2026-11-23T10:00:00Z'} | t | 1770",
                "{'token':'','access_token':'a'} | a | 54",
                "{'token':null,'access_token':'a'} | a | 54",
                // Docker Hub: both
                "{'token':'t','access_token':'t','expires_in':300,'issued_at':'2026-11-23T10:00:00.123456Z'} | t | 270",
                "{'token':'t','expires_in':300} | t | 270",
                "{'token':'t','expires_in':100} | t | 90",
                "{'token':'t','expires_in':20} | t | 15",
                "{'token':'t','expires_in':4} | t | 2",
                "{'token':'t','expires_in':0} | t | 54",
                "{'token':'t','expires_in':-5} | t | 54",
                "{'token':'t','expires_in':'300'} | t | 270",
                "{'token':'t','expires_in':3600} | t | 3570",
                "{'token':'t','expires_in':99999999999} | t | 86370",
                "{'token':'t','expires_in':99999999999999999999999999} | t | 86370",
                "{'token':'t','expires_in':1e300} | t | 86370",
                "{'token':'t','expires_in':-1e300} | t | 54",
                "{'token':'t','expires_in':'99999999999999999999999999'} | t | 86370",
                "{'token':'t','expires_in':300,'issued_at':'-999999999-01-01T00:00:00+18:00'} | t | 0",
                "{'token':'t','expires_in':300,'issued_at':'+999999999-12-31T23:59:59-18:00'} | t | 270",
                // issued some time ago, or in a future that is only our clock's mistake
                "{'token':'t','expires_in':300,'issued_at':'2026-11-23T09:59:00Z'} | t | 216",
                "{'token':'t','expires_in':300,'issued_at':'2026-11-23T11:59:00+02:00'} | t | 216",
                "{'token':'t','expires_in':300,'issued_at':'2026-11-23T10:30:00Z'} | t | 270",
                "{'token':'t','expires_in':300,'issued_at':'2026-11-23T09:00:00Z'} | t | 0",
                "{'token':'t','expires_in':300,'issued_at':'yesterday'} | t | 270",
                "{'token':'t','refresh_token':'r','unknown':{'a':[1]}} | t | 54",
            })
    void acceptsTheTokensThatServersSend(String json, String value, long usedFor) throws Exception {
        Token token = parse(json);

        assertThat(token.value().reveal()).isEqualTo(value);
        assertThat(token.renewAt()).isEqualTo(NOW.plusSeconds(usedFor));
        assertThat(token.isUsable(NOW)).isEqualTo(usedFor > 0);
        assertThat(token.isUsable(NOW.plusSeconds(usedFor))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[]",
                "null",
                "\"t\"",
                "{'token':''}",
                "{'token':' '}",
                "{'token':null}",
                "{'token':{}}",
                "{'token':'a\\nb'}",
                "{'token':'a b'}",
                "{'errors':[{'code':'UNAUTHORIZED'}]}",
                "<html>sign in</html>",
                "{'token':",
            })
    void rejectsAnswersWithoutAToken(String json) {
        assertThatExceptionOfType(Violation.class).isThrownBy(() -> parse(json));
    }

    @Test
    void doesNotQuoteTheAnswerInItsError() {
        assertThatExceptionOfType(Violation.class)
                .isThrownBy(() -> parse("{'token':'s3cret"))
                .satisfies(e -> assertThat(e.toString()).doesNotContain("s3cret"));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // expires_in, the JWT's exp in seconds from now, used for
                "-, 900, 870",
                "-, 300, 270",
                "300, 900, 270",
                "900, 300, 270",
                "-, -10, 54",
                "300, -10, 0",
            })
    void readsWhenAJwtExpires(Long expiresIn, long exp, long usedFor) throws Exception {
        String claims = "{\"exp\":" + NOW.plusSeconds(exp).getEpochSecond() + "}";
        String jwt = base64("{\"alg\":\"none\"}") + "." + base64(claims) + ".x";
        Token token = parse("{'token':'" + jwt + "'" + (expiresIn == null ? "" : ",'expires_in':" + expiresIn) + "}");

        assertThat(Duration.between(NOW, token.renewAt()).toSeconds()).isEqualTo(usedFor);
    }

    @ParameterizedTest
    @CsvSource({
        "3155688986440319, 86370",
        "9223372036854775807, 54",
        "99999999999999999999999999, 54",
        "1e300, 54",
        "-1e300, 54",
        "-9223372036854775808, 54",
        "0, 54",
    })
    void limitsTheLifeOfAJwt(String exp, long usedFor) throws Exception {
        String jwt = base64("{}") + "." + base64("{\"exp\":" + exp + "}") + ".x";

        assertThat(parse("{'token':'" + jwt + "'}").renewAt()).isEqualTo(NOW.plusSeconds(usedFor));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.b.c", "a.b", "..", "a.e30.c", "a.bnVsbA.c", "a.eyJleHAiOiJ4In0.c"})
    void leavesOpaqueTokensAlone(String value) throws Exception {
        assertThat(parse("{'token':'" + value + "'}").renewAt()).isEqualTo(NOW.plusSeconds(54));
    }

    @Test
    void usesTheServersClock() throws Exception {
        Instant serverNow = NOW.plusSeconds(7200);
        String json = "{'token':'t','expires_in':300,'issued_at':'" + serverNow.minusSeconds(60) + "'}";
        Token token = Token.parse(Token.read(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)), serverNow, NOW);

        assertThat(token.renewAt()).isEqualTo(NOW.plusSeconds(216));
    }

    private static Token parse(String json) throws Exception {
        return Token.parse(Token.read(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)), NOW, NOW);
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
