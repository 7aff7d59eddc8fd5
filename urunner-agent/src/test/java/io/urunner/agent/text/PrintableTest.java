package io.urunner.agent.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrintableTest {
    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void textFromOthersBecomesOneShortVisibleLine(String text) {
        String line = Printable.line(text);

        NastyStrings.assertHarmless(line, Printable.LINE);
        assertThat(Printable.line(line)).as("twice").isEqualTo(line);
        NastyStrings.assertHarmless(Printable.line("before " + text + " after", 256), 256);
        NastyStrings.assertHarmless(Printable.setting(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "shop/Deployment/web: restart: the tag moved",
                "registry.example:5000/team/app:1.2@sha256:0123456789abcdef",
                "https://registry.example:5000/v2/team/app/manifests/sha256:0123",
                "https://[::1]:5000/v2/team@x",
                "https://registry.example/v2/team@x",
                "by alice@example.com",
                "invalid username or password: ask your administrator",
                "Basic authentication is not supported",
                "Bearer realm=\"https://auth.example/token\",service=\"registry\"",
                "registry.example/glpat-mirror:github_pat_tools",
                "the file that is named by URUNNER_SECR_HTTP_TOKEN_FILE",
                "ümläut Здравствуйте 你好 नमस्ते عربي 🚀 Ångström",
                "two  spaces stay"
            })
    void harmlessTextIsUnchanged(String text) {
        assertThat(Printable.line(text)).isEqualTo(text);
        assertThat(Printable.lines(text + "\n" + text)).isEqualTo(text + "\n" + text);
    }

    @Test
    void invisibleCharactersBecomeAMarkAndSeparatorsASpace() {
        assertThat(Printable.line("a\u001B[31mb\u202Ec\u200Bd\uD83De")).isEqualTo("a\uFFFD[31mb\uFFFDc\uFFFDd\uFFFDe");
        assertThat(Printable.line("a\nb\tc\u2028d\u00A0e")).isEqualTo("a b c d e");
    }

    @Test
    void aCutTextTellsItsLength() {
        assertThat(Printable.line("x".repeat(200_000)))
                .startsWith("xxx")
                .endsWith("x… (200000 characters)")
                .hasSize(Printable.LINE - 2);
        assertThat(Printable.line("x".repeat(1024))).isEqualTo("x".repeat(1024));
        assertThat(Printable.line("🚀".repeat(257))).endsWith("🚀… (514 characters)");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https://user:pw@host/v2/               | https://host/v2/",
                "see https://token@host, and http://a:b@c | see https://host, and http://c",
                "//user:pw@host/x                       | //host/x",
                "https://user:p@ss@host                 | https://host",
                "https://user:p/w@host                  | https://host",
                "https://user:12#w@host                 | https://host",
                "https://user:p/@w@host                 | https://host",
                "login user:pw@host:5000 failed         | login [secret]@host:5000 failed",
                "jdbc:postgresql://h/d?password=a;b c&ssl=true | jdbc:postgresql://h/d?password=[secret]&ssl=true",
                "jdbc:postgresql://h/d?user=u&sslpassword=a,b | jdbc:postgresql://h/d?user=u&sslpassword=[secret]",
                "PASSWORD=x                             | PASSWORD=[secret]",
                "GET /blob?sig=abc%2Fd&se=1             | GET /blob?sig=[secret]&se=1",
                "X-Amz-Security-Token=abc&x=y           | X-Amz-Security-Token=[secret]&x=y",
                "you sent Basic dXNlcjpwdw== to us      | you sent Basic [secret] to us",
                "Authorization: Bearer abcdefghijklmnopqrstuvwxyz | Authorization: Bearer [secret]",
                "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln | got [secret]",
                "budget: 'glpat-4711abcdEFGH_ijklmnop'  | budget: '[secret]'",
                "the type ghp_0123456789abcdefABCDEF is unknown | the type [secret] is unknown",
                "'{\"password\" : \"a b\", \"x\":1}'    | '{\"password\" : \"[secret]\", \"x\":1}'"
            })
    void passwordsAreNeverShown(String text, String shown) {
        assertThat(Printable.line(text)).isEqualTo(shown.replaceAll("^'|'$", text.startsWith("'") ? "'" : "$0"));
    }

    /** CPU time: eight times as much for eight times the length is linear, 64 times would be quadratic. */
    @ParameterizedTest
    @ValueSource(strings = {"//a:b", "a:", "eyJaaaaa-", "Basic a", "\"auth", "password=", "x:y@sha256:"})
    void repeatedBeginningsOfSecretsTakeLinearTime(String part) {
        String text = "a@b " + part.repeat(160_000 / part.length());
        double ratio = Double.MAX_VALUE;
        for (int i = 0; i < 4 && ratio > 22.6; i++) {
            ratio = (double) processorTime(text) / processorTime(text.substring(0, 20_000));
        }
        assertThat(ratio).isLessThan(22.6);
    }

    private static long processorTime(String text) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long begun = threads.getCurrentThreadCpuTime();
        assertThat(Printable.line(text, text.length())).isNotEmpty();
        return threads.getCurrentThreadCpuTime() - begun;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "token@registry.example                 | [secret]@registry.example",
                "user:p@ss w@registry.example/x         | [secret]@registry.example/x",
                "https://user:p//w@host/x               | https://[secret]@host/x",
                "jdbc:postgresql://u:p@h/d?password=a@b&ssl=true | jdbc:postgresql://[secret]@h/d?password=[secret]&ssl=true",
                "registry.example/app:1@sha256:0123     | registry.example/app:1@sha256:0123",
                "u:p@registry.example/app@sha256:0123   | [secret]@registry.example/app@sha256:0123"
            })
    void nothingBeforeAnAtSignIsShownOfASetting(String value, String shown) {
        assertThat(Printable.setting(value)).isEqualTo(shown);
    }
}
