package io.urunner.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import okhttp3.Headers;

/** Any answer of a registry or its token server is read or rejected as declared, in time. */
class AnswerFuzzTest {
    private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
    private static final int LONG = 300_000;
    private static final Duration SOON = Duration.ofSeconds(60);

    @Property(seed = "1")
    void any_header_is_challenges_or_nothing(@ForAll List<String> any, @ForAll @From("nearlyHeaders") String header) {
        Challenge.parse(any);
        for (Challenge challenge : Challenge.parse(List.of(header))) {
            assertThat(challenge.scheme())
                    .isNotEmpty()
                    .isEqualTo(challenge.scheme().toLowerCase(Locale.ROOT));
        }
    }

    @Property(seed = "1")
    void written_challenges_read_back(@ForAll @From("challenges") List<Challenge> challenges) {
        var lines = new ArrayList<String>();
        var oneLine = new ArrayList<String>();
        for (Challenge challenge : challenges) {
            var parameters = new ArrayList<String>();
            challenge
                    .parameters()
                    .forEach((name, value) -> parameters.add(
                            name + "=\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\""));
            lines.add(challenge.scheme() + " " + String.join(",", parameters));
            oneLine.add(challenge.scheme() + " " + String.join(", ", parameters));
        }
        assertThat(Challenge.parse(lines)).isEqualTo(challenges);
        assertThat(Challenge.parse(List.of(String.join(", ", oneLine)))).isEqualTo(challenges);
    }

    @Property(seed = "1")
    void any_header_has_a_next_page_or_none(@ForAll List<String> any, @ForAll @From("nearlyHeaders") String header) {
        next(any);
        next(List.of(header)).ifPresent(target -> assertThat(header).contains(target));
    }

    /** The next page, none if the header is refused as it may be. */
    private static Optional<String> next(List<String> headers) {
        try {
            return Listings.nextLink(headers);
        } catch (Violation e) {
            return Optional.empty();
        }
    }

    @Property(seed = "1")
    void a_written_link_reads_back(@ForAll @From("targets") String target, @ForAll @From("targets") String other) {
        String header = "<" + other + ">; rel=prev; title=\"<x>; rel=next\", <" + target + ">; x=1; rel=\"last next\"";
        assertThat(next(List.of(header))).contains(target);
    }

    @Property(seed = "1")
    void any_wait_is_bounded(@ForAll String any, @ForAll @From("waits") String wait) {
        for (String header : List.of(any, wait)) {
            RateLimitHeaders.retryAfter(retryAfter(header), NOW)
                    .ifPresent(duration -> assertThat(duration).isBetween(Duration.ZERO, Duration.ofDays(1)));
        }
    }

    @Property(seed = "1")
    void any_rate_limit_is_read_or_ignored(@ForAll String any, @ForAll @From("waits") String value) {
        RateLimitHeaders.parse(name -> any, NOW);
        RateLimitHeaders.parse(name -> value, NOW);
    }

    @Property(seed = "1")
    void any_error_is_read_and_fits_one_log_line(@ForAll byte[] any, @ForAll @From("json") String json) {
        for (byte[] content : List.of(any, json.getBytes(StandardCharsets.UTF_8))) {
            for (OciError error : ErrorAnswer.of(content).errors()) {
                assertThat(error.toString().chars().noneMatch(c -> c == '\n' || c == '\r' || c == 27))
                        .isTrue();
                assertThat(error.toString()).hasSizeLessThan(2000);
            }
        }
    }

    @Property(seed = "1")
    void any_token_is_read_or_rejected(@ForAll byte[] any, @ForAll @From("json") String json) {
        token(any);
        token(json.getBytes(StandardCharsets.UTF_8));
    }

    @Example
    void long_headers_take_no_longer_than_their_length() {
        for (String part : List.of(
                "a",
                "a,",
                ",",
                " ",
                "=",
                "\"",
                "\\",
                "a=",
                "a=b,",
                "a=\"b\",",
                "<",
                ">",
                "<a>",
                "<a>;",
                ";",
                "<a>,",
                "Basic ",
                "1")) {
            String header = part.repeat(LONG / part.length());
            assertTimeoutPreemptively(SOON, () -> {
                for (String start : List.of("", "Bearer ", "Bearer a=\"", "<a>; rel=\"", "<")) {
                    Challenge.parse(List.of(start + header));
                    next(List.of(start + header));
                    RateLimitHeaders.retryAfter(retryAfter(start + header), NOW);
                    RateLimitHeaders.parse(name -> start + header, NOW);
                }
            });
        }
    }

    @Example
    void long_bodies_take_no_longer_than_their_length() {
        for (String part : List.of("[", "{\"errors\":", "{},", "[],", "1", "\"", "\u0007", " ", "{\"code\":\"X\"},")) {
            for (String start : List.of("", "{\"errors\":[", "{\"token\":\"")) {
                byte[] content = (start + part.repeat(LONG / part.length())).getBytes(StandardCharsets.UTF_8);
                assertTimeoutPreemptively(SOON, () -> {
                    ErrorAnswer.of(content).errors();
                    token(content);
                });
            }
        }
    }

    private static Headers retryAfter(String value) {
        return new Headers.Builder().addUnsafeNonAscii("Retry-After", value).build();
    }

    private static void token(byte[] content) {
        try {
            Token.parse(Token.read(content), NOW, NOW);
        } catch (IOException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @Provide
    Arbitrary<String> nearlyHeaders() {
        return Arbitraries.of(
                        "Bearer",
                        "bearer",
                        "Basic",
                        "realm",
                        "service",
                        "scope",
                        "=",
                        "\"",
                        "\\",
                        ",",
                        ";",
                        " ",
                        "\t",
                        "<",
                        ">",
                        "rel",
                        "next",
                        "https://auth.example/token",
                        "repository:a/b:pull,push",
                        "/v2/a/tags/list?n=2&last=b",
                        "",
                        "ß",
                        "\u0000",
                        "\ud800",
                        "*")
                .list()
                .ofMaxSize(20)
                .map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<List<Challenge>> challenges() {
        Arbitrary<String> name =
                Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(8);
        Arbitrary<String> value = Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(20);
        return Combinators.combine(
                        name, Arbitraries.maps(name, value).ofMinSize(1).ofMaxSize(4))
                .as(Challenge::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(3);
    }

    @Provide
    Arbitrary<String> targets() {
        return Arbitraries.strings()
                .withCharRange('a', 'z')
                .withChars("/?&=:,;.%\"")
                .ofMinLength(1)
                .ofMaxLength(30);
    }

    @Provide
    Arbitrary<String> waits() {
        return Arbitraries.oneOf(
                Arbitraries.integers().map(String::valueOf),
                Arbitraries.longs().map(number -> number + ";w=21600"),
                Arbitraries.of(
                        "Wed, 21 Oct 2015 07:28:00 GMT",
                        "Thu, 01 Jan 2099 00:00:00 GMT",
                        "Sunday, 06-Nov-94 08:49:37 GMT",
                        "99999999999999999999999",
                        "-1",
                        "1.5",
                        "0x10",
                        "",
                        ";",
                        "100;w=",
                        "soon"),
                Arbitraries.strings().ofMaxLength(30));
    }

    @Provide
    Arbitrary<String> json() {
        Arbitrary<String> name = Arbitraries.of(
                "errors",
                "code",
                "message",
                "detail",
                "token",
                "access_token",
                "expires_in",
                "issued_at",
                "refresh_token");
        Arbitrary<String> scalar = Arbitraries.of(
                "1",
                "-1",
                "1e400",
                "99999999999999999999",
                "null",
                "true",
                "\"\"",
                "\"x\"",
                "\"UNAUTHORIZED\"",
                "\"a\\nb\\u001b\"",
                "\"2030-01-01T00:00:00Z\"",
                "\"-999999999-01-01T00:00:00Z\"",
                "\"a.e30.b\"",
                "\"a.eyJleHAiOjk5OTk5OTk5OTk5OTk5OTk5OTl9.b\"",
                "\"a.eyJleHAiOi0xfQ.b\"",
                "\"a.!.b\"");
        return Arbitraries.recursive(
                () -> scalar,
                inner -> Arbitraries.oneOf(
                        inner.list().ofMaxSize(3).map(items -> "[" + String.join(",", items) + "]"),
                        Combinators.combine(name, inner)
                                .as((key, value) -> "\"" + key + "\":" + value)
                                .list()
                                .ofMaxSize(4)
                                .map(fields -> "{" + String.join(",", fields) + "}")),
                1,
                4);
    }
}
