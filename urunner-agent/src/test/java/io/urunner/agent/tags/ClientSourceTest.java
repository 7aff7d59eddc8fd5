package io.urunner.agent.tags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.RegistryOptions;
import io.urunner.agent.RequestCounts;
import io.urunner.registry.HostOptions;
import io.urunner.registry.ImageReference;
import io.urunner.registry.NotFoundException;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.RegistryObserver;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a registry's own reports determine its limit. */
class ClientSourceTest {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @ParameterizedTest
    @CsvSource({
        "ratelimit-remaining, 0;w=21600, x-other, 0, 21600",
        "ratelimit-remaining, 0, ratelimit-reset, 600, 600",
        "x-ratelimit-remaining, 0, x-ratelimit-reset, 1767227400, 1800",
        "ratelimit-remaining, 0, x-other, 0, 3600",
    })
    void aUsedUpLimitIsAvailableAgainAfterItsWindow(
            String name, String value, String second, String secondValue, long seconds) throws Exception {
        try (MockWebServer registry = new MockWebServer()) {
            registry.enqueue(new MockResponse()
                    .setHeader("Docker-Content-Digest", "sha256:" + "a".repeat(64))
                    .setHeader("Content-Type", "application/vnd.oci.image.index.v1+json")
                    .setHeader("Content-Length", "1234")
                    .setHeader(name, value)
                    .setHeader(second, secondValue));
            registry.start();
            String host = "127.0.0.1:" + registry.getPort();
            try (RegistryClient client = RegistryClient.builder()
                    .defaults(HostOptions.DEFAULTS.withPlainHttp())
                    .clock(() -> now)
                    .build()) {
                ClientSource source =
                        new ClientSource(client, host, () -> now, Optional.empty(), namespace -> Optional.empty());
                source.resolve(ImageReference.parse(host + "/team/app"));

                now = now.minusSeconds(100_000_000);
                assertThat(source.allowance()).as("the clock was set back").isEmpty();
                now = now.plusSeconds(100_000_000 + seconds - 1);
                assertThat(source.allowance().orElseThrow().left(now)).isZero();
                now = now.plusSeconds(1);
                WatchedRegistry.Allowance after = source.allowance().orElseThrow();
                assertThat(after.left(now)).isEqualTo(Long.MAX_VALUE);
            }
        }
    }

    /** A missing tag costs two requests, the second to find out why; the budget counts both. */
    @Test
    void everyRequestCountsAgainstTheBudgetAndAnExcessAgainstTheNextMinute() throws Exception {
        try (MockWebServer registry = new MockWebServer()) {
            for (int i = 0; i < 5; i++) {
                registry.enqueue(new MockResponse().setResponseCode(404));
            }
            registry.enqueue(
                    new MockResponse().setResponseCode(404).setBody("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}"));
            registry.enqueue(new MockResponse().setResponseCode(404));
            registry.enqueue(new MockResponse().setResponseCode(404));
            registry.start();
            String host = "127.0.0.1:" + registry.getPort();
            RequestCounts sent = new RequestCounts(List.of(host), RegistryObserver.NONE);
            try (RegistryClient client = RegistryClient.builder()
                    .defaults(HostOptions.DEFAULTS.withPlainHttp())
                    .clock(() -> now)
                    .attempts(1)
                    .observer(sent)
                    .build()) {
                ClientSource source = new ClientSource(
                        client,
                        host,
                        () -> now,
                        Optional.of(new RegistryOptions.Budget(5, sent)),
                        namespace -> Optional.empty());
                assertThat(left(source)).isEqualTo(5);
                for (int left = 3; left >= -1; left -= 2) {
                    assertThatThrownBy(() -> source.resolve(ImageReference.parse(host + "/team/app")))
                            .isInstanceOf(NotFoundException.class);
                    assertThat(left(source)).isEqualTo(Math.max(0, left));
                }
                assertThat(registry.getRequestCount()).isEqualTo(6);
                now = now.plusSeconds(60);
                assertThat(left(source)).isEqualTo(4);
                now = now.plusSeconds(60);
                assertThat(left(source)).isEqualTo(5);
                assertThatThrownBy(() -> source.resolve(ImageReference.parse(host + "/team/app")))
                        .isInstanceOf(NotFoundException.class);
                now = now.minusSeconds(100_000_000);
                assertThat(left(source)).as("the clock was set back").isEqualTo(5);
            }
        }
    }

    private long left(ClientSource source) {
        return source.budget().orElseThrow().left(now);
    }
}
