package io.urunner.registry.dockerconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.urunner.registry.auth.Credential;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** People write secrets: any content is read or reported, and no report reveals the content. */
class DockerConfigFuzzTest {
    private static final String TYPE = "kubernetes.io/dockerconfigjson";

    @Property(seed = "1")
    void any_bytes_are_a_pull_secret_or_a_problem(@ForAll byte[] content) {
        PullSecret secret = PullSecret.parse("s", TYPE, Map.of(".dockerconfigjson", content));
        assertThat(secret.problems()).hasSizeLessThanOrEqualTo(1);
    }

    @Property(seed = "1")
    void any_json_of_a_configuration_is_read_or_refused(@ForAll @From("configurations") String text) {
        byte[] json = text.getBytes(StandardCharsets.UTF_8);
        for (Consumer<byte[]> parser :
                List.<Consumer<byte[]>>of(ConfigJson::config, ConfigJson::legacy, ConfigJson::withoutHelpers)) {
            try {
                parser.accept(json);
            } catch (IllegalArgumentException e) {
                assertThat(e.getMessage()).doesNotContain("hunter2");
            }
        }
    }

    @Property(seed = "1")
    void a_key_of_a_configuration_is_for_its_host_at_most(@ForAll @From("keys") String key) {
        DockerConfigKey parsed = new DockerConfigKey(key);
        assertThat(DockerConfigKey.best(Map.of(key, "x"), "other.example", "app"))
                .isEmpty();
        if (parsed.path.isEmpty()) {
            assertThat(DockerConfigKey.best(Map.of(key, "x"), parsed.host, "app"))
                    .contains("x");
        }
    }

    @Property(seed = "1")
    void what_is_shown_of_a_key_is_one_short_line(@ForAll String key) {
        assertThat(PullSecretKey.shown(key)).hasSizeLessThanOrEqualTo(201).doesNotContainPattern("[\\p{Cntrl}\u202e]");
    }

    @Property(seed = "1")
    void any_auth_is_read_or_a_problem_that_does_not_repeat_it(@ForAll String auth) {
        String json =
                "{\"auths\":{\"reg.example\":{\"auth\":\"hunter2" + auth.replaceAll("[\\p{Cntrl}\"\\\\]", "") + "\"}}}";
        PullSecrets secrets = PullSecrets.of(List.of(
                PullSecret.parse("s", TYPE, Map.of(".dockerconfigjson", json.getBytes(StandardCharsets.UTF_8)))));
        assertThat(secrets.problems()).noneMatch(problem -> problem.contains("hunter2"));
        List<Credential> credentials = secrets.credentials("reg.example", "app");
        assertThat(credentials.isEmpty()).isEqualTo(!secrets.problems().isEmpty());
    }

    @Property(seed = "1")
    void a_key_matches_or_not(@ForAll @From("keys") String key, @ForAll @From("keys") String image) {
        PullSecretKey target = PullSecretKey.ofImage("reg.example:5000", image);
        PullSecretKey.parse(key).ifPresent(parsed -> {
            parsed.matches(target);
            assertThat(PullSecretKey.parse("https://" + parsed)).isPresent();
        });
    }

    /** The kubelet sorts by these texts, so they keep the brackets and colons as written. */
    @Example
    void a_key_shows_its_authority_as_it_was_written() {
        for (String key : List.of("[a:b]:", "[::1]:5000", "a:b:5000", "http://x", "[]")) {
            assertThat(PullSecretKey.parse("https://" + key)).hasToString("Optional[" + key + "]");
        }
    }

    @Property(seed = "1")
    void a_glob_of_stars_and_question_marks_matches_what_the_regular_expression_matches(
            @ForAll @From("globs") String glob, @ForAll @From("labels") String label) {
        String expression = glob.replace("?", ".").replace("*", ".*");
        assertThat(PullSecretKey.isMatch(glob, label)).isEqualTo(Pattern.matches(expression, label));
    }

    @Example
    void long_globs_finish_quickly() {
        String label = "a".repeat(20_000);
        for (String glob : List.of(
                "*a".repeat(500) + "b", "[a-z]*".repeat(500) + "b", "*".repeat(20_000) + "b", "[".repeat(20_000))) {
            assertTimeoutPreemptively(
                    Duration.ofSeconds(60),
                    () -> assertThat(PullSecretKey.isMatch(glob, label)).isFalse());
        }
    }

    @Provide
    Arbitrary<String> configurations() {
        return Arbitraries.of(
                        "{",
                        "}",
                        "[",
                        "]",
                        ":",
                        ",",
                        "null",
                        "7",
                        "true",
                        " ",
                        "\ufeff",
                        "\"auths\":{",
                        "\"AUTHS\":",
                        "\"credHelpers\":{",
                        "\"credsStore\":",
                        "\"a.example\":",
                        "\"auth\":",
                        "\"hunter2\"",
                        "\"\\ud800\"")
                .list()
                .ofMaxSize(12)
                .map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> keys() {
        return Arbitraries.of(
                        "reg",
                        "example",
                        ".",
                        "*",
                        "?",
                        "[",
                        "]",
                        "[a-z]",
                        "[^a]",
                        "\\",
                        ":",
                        "5000",
                        "/",
                        "v1",
                        "v2",
                        "https://",
                        "http://",
                        "@",
                        "#",
                        " ",
                        "%41",
                        "ß",
                        "\u0000",
                        "index.docker.io",
                        "::1")
                .list()
                .ofMaxSize(10)
                .map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> globs() {
        return Arbitraries.strings().withChars("ab*?").ofMaxLength(12);
    }

    @Provide
    Arbitrary<String> labels() {
        return Arbitraries.strings().withChars("ab").ofMaxLength(12);
    }
}
