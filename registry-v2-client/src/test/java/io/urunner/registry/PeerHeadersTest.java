package io.urunner.registry;

import static io.urunner.registry.FakeServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.mockwebserver.MockResponse;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/** The published cases of headers by other clients; each table says where it is from, and where we decide otherwise. */
class PeerHeadersTest {
    @AutoClose
    private final ToClose open = new ToClose();

    private final FakeServer registry = open.add(new FakeServer(request -> json("{\"tags\":[]}")));

    private RegistryClient client(RegistryObserver observer) {
        return open.add(RegistryClient.builder()
                .defaults(HostOptions.DEFAULTS.withPlainHttp())
                .observer(observer)
                .build());
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/challenges.csv", delimiter = '|', quoteCharacter = '`', nullValues = "none")
    void aChallengeIsRead(String headers, String expected) {
        List<String> challenges = new ArrayList<>();
        for (Challenge challenge : Challenge.parse(lines(headers))) {
            challenges.add(challenge.scheme() + new TreeMap<>(challenge.parameters()));
        }
        assertThat(String.join(" ", challenges)).isEqualTo(expected == null ? "" : expected);
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/links.csv", delimiter = '|', quoteCharacter = '`')
    void aLinkIsFollowed(String headers, String next) throws Exception {
        registry.answer(request -> {
            MockResponse answer = json("{\"tags\":[]}");
            if (registry.requests.size() == 1) {
                lines(headers.replace("HOST", registry.host())).forEach(line -> answer.addHeader("Link", line));
            }
            return answer;
        });
        Pages<String> pages = client(new RegistryObserver() {})
                .tags(registry.image("team/app").toRepository());

        if (next.equals("refused")) {
            assertThatExceptionOfType(ProtocolViolationException.class).isThrownBy(pages::all);
        } else {
            pages.all();
        }
        assertThat(registry.requests.stream()
                        .skip(1)
                        .map(request -> String.valueOf(request.getPath()))
                        .toList())
                .isEqualTo(next.startsWith("/") ? List.of(next) : List.of());
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peers/warnings.csv", delimiter = '|', quoteCharacter = '^', nullValues = "none")
    void aWarningIsShown(String header, String text) throws Exception {
        registry.answer(request -> json("{\"tags\":[]}").addHeader("Warning", header));
        List<String> warnings = new CopyOnWriteArrayList<>();
        client(new RegistryObserver() {
                    @Override
                    public void warned(String host, String warning) {
                        warnings.add(warning);
                    }
                })
                .tags(registry.image("team/app").toRepository())
                .all();
        assertThat(warnings).isEqualTo(text == null ? List.of() : List.of(text));
    }

    private static List<String> lines(String headers) {
        return Arrays.asList(headers.split("⏎", -1));
    }
}
