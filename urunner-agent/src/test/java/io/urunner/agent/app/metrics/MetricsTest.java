package io.urunner.agent.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentListener;
import io.urunner.agent.AgentStatus;
import io.urunner.agent.AgentStatus.WorkloadStatus;
import io.urunner.agent.HostStatus;
import io.urunner.agent.Rollout;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.TestWorkloadStatus;
import io.urunner.agent.app.http.AgentServer;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.State;
import io.urunner.agent.text.NastyStrings;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.registry.RateLimit;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The metrics endpoint, over HTTP. */
class MetricsTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final Path DOCUMENT = Path.of("..", "docs", "metrics.md");
    private static final WorkloadId WEB = WorkloadId.parse("shop/Deployment/web");
    private static final WorkloadId DB = WorkloadId.parse("shop/StatefulSet/db");

    private final AtomicReference<Optional<AgentStatus>> status = new AtomicReference<>(Optional.empty());
    private final AgentMetrics metrics = new AgentMetrics("1.2.3", () -> NOW);

    @AutoClose
    private final AgentServer server = new AgentServer(
            0,
            Map.of(),
            Map.of(
                    "/metrics",
                    metrics.endpoint(
                            status::get,
                            host -> host.equals("ghcr.io")
                                    ? Optional.of(new RateLimit(
                                            OptionalLong.of(100),
                                            OptionalLong.of(42),
                                            Optional.empty(),
                                            Optional.empty(),
                                            NOW))
                                    : Optional.empty(),
                            () -> Map.of("history", Duration.ofSeconds(70), "patches", Duration.ZERO))),
            Thread::new,
            System::nanoTime);

    private int port;

    @BeforeEach
    void start() throws Exception {
        port = server.start();
    }

    private HttpResponse<String> get(String accept) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                                .header("Accept", accept)
                                .build(),
                        BodyHandlers.ofString());
    }

    private List<String> lines() throws Exception {
        return get("text/plain").body().lines().toList();
    }

    private void everythingHappens() {
        metrics.passed("ghcr.io/team", Duration.ofSeconds(1));
        metrics.resolved("ghcr.io/team", "ghcr.io/team/app:latest", "found", Duration.ofMillis(30));
        metrics.resolved("ghcr.io/team", "ghcr.io/team/app:dev", "rate-limited", Duration.ofMillis(300));
        metrics.tokenFetched("ghcr.io", "ghcr.io", true, Duration.ofMillis(10));
        metrics.tokenFetched("ghcr.io", "ghcr.io", false, Duration.ofMillis(10));
        metrics.retried("ghcr.io", 1, Duration.ofMillis(10), "reset");
        metrics.mirrorPassedOver("docker.io", "https://m.example/v2/hub", "HTTP 404");
        metrics.hinted("harbor", "accepted");
        metrics.served(AgentListener.Served.QUESTION, "shop");
        metrics.rolloutEnded(
                new Rollout("1", WEB, "moved", List.of(), NOW.minusSeconds(20)), new Outcome.Failed("crash", true));
        status.set(Optional.of(status(
                workload(
                        WEB,
                        new Decision.Deferred(Deferral.WINDOW, "", Optional.empty(), Optional.empty()),
                        Optional.of(90L)),
                workload(DB, new Decision.Blocked(Blockage.HOLD, ""), Optional.empty()))));
    }

    private static WorkloadStatus workload(WorkloadId id, Decision decision, Optional<Long> staleForSeconds) {
        return TestWorkloadStatus.of(id)
                .state(new State(
                        State.Kind.WAITING,
                        "outside the windows",
                        "",
                        Optional.empty(),
                        Optional.of(NOW.plusSeconds(60)),
                        false))
                .decision(decision)
                .rolloutRunning()
                .staleSince(staleForSeconds.map(NOW::minusSeconds))
                .build();
    }

    private static AgentStatus status(WorkloadStatus... workloads) {
        return TestAgentStatus.at(NOW)
                .namespaces("pay", "shop")
                .lost("old", NOW.minusSeconds(60))
                .historyFails()
                .lastPass(NOW.minusSeconds(10))
                .registries(new HostStatus(
                        "ghcr.io/team",
                        2,
                        true,
                        true,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(NOW),
                        List.of(new HostStatus.Wait(
                                Optional.empty(), Deferral.RATE_LIMITED, "used up", NOW, NOW.plusSeconds(3600))),
                        Optional.empty(),
                        7))
                .workloads(List.of(workloads))
                .build();
    }

    @Test
    void itServesActivityAndState() throws Exception {
        everythingHappens();

        assertThat(lines())
                .contains(
                        "urunner_passes_total{registry=\"ghcr.io/team\"} 1.0",
                        "urunner_resolves_total{outcome=\"found\",registry=\"ghcr.io/team\"} 1.0",
                        "urunner_resolves_total{outcome=\"rate_limited\",registry=\"ghcr.io/team\"} 1.0",
                        "urunner_resolve_duration_seconds_bucket{registry=\"ghcr.io/team\",le=\"0.05\"} 1",
                        "urunner_resolve_duration_seconds_count{registry=\"ghcr.io/team\"} 2",
                        "urunner_token_fetches_total{outcome=\"failure\",registry=\"ghcr.io\"} 1.0",
                        "urunner_request_retries_total{registry=\"ghcr.io\"} 1.0",
                        "urunner_mirror_fallbacks_total{mirror=\"https://m.example/v2/hub\",registry=\"docker.io\"} 1.0",
                        "urunner_hints_total{hook=\"harbor\",outcome=\"accepted\"} 1.0",
                        "urunner_served_total{namespace=\"shop\",what=\"question\"} 1.0",
                        "urunner_rollouts_total{outcome=\"failed\"} 1.0",
                        "urunner_rollouts_total{outcome=\"succeeded\"} 0.0",
                        "urunner_rollout_duration_seconds_sum{outcome=\"failed\"} 20.0",
                        "urunner_build_info{version=\"1.2.3\"} 1",
                        "urunner_leader 1.0",
                        "urunner_synced 1.0",
                        "urunner_history_up 0.0",
                        "urunner_watch_problems 0.0",
                        "urunner_namespaces 2.0",
                        "urunner_registry_up{registry=\"ghcr.io/team\"} 1.0",
                        "urunner_registry_waits_until_timestamp_seconds{registry=\"ghcr.io/team\"} 1.77237E9",
                        "urunner_registry_references{registry=\"ghcr.io/team\"} 2.0",
                        "urunner_registry_rate_limit_remaining{registry=\"ghcr.io/team\"} 42.0",
                        "urunner_workloads{cause=\"outside_the_windows\",state=\"waiting\"} 2.0",
                        "urunner_namespace_lost_timestamp_seconds{namespace=\"old\"} "
                                + (double) NOW.minusSeconds(60).getEpochSecond(),
                        "urunner_workload_waits_until_timestamp_seconds{cause=\"outside_the_windows\",kind=\"Deployment\",name=\"web\",namespace=\"shop\",state=\"waiting\"} "
                                + (double) NOW.plusSeconds(60).getEpochSecond(),
                        "urunner_workload_state{cause=\"outside_the_windows\",ill=\"false\",kind=\"Deployment\",name=\"web\",namespace=\"shop\",state=\"waiting\"} 1.0",
                        "urunner_workload_staleness_seconds{kind=\"Deployment\",name=\"web\",namespace=\"shop\",state=\"waiting\"} 90.0",
                        "urunner_workload_staleness_seconds{kind=\"StatefulSet\",name=\"db\",namespace=\"shop\",state=\"waiting\"} 0.0",
                        "urunner_rollouts_running 2.0",
                        "urunner_queue_stuck_seconds{queue=\"history\"} 70.0",
                        "urunner_queue_stuck_seconds{queue=\"patches\"} 0.0");
    }

    @Test
    void aWrongConfigurationIsReportedUntilItIsFixed() throws Exception {
        assertThat(lines()).contains("urunner_configuration_valid 1.0");
        metrics.reloaded(false);
        assertThat(lines()).contains("urunner_configuration_valid 0.0");
        metrics.reloaded(true);
        assertThat(lines()).contains("urunner_configuration_valid 1.0");
    }

    @Test
    void whatIsNoLongerWatchedIsNoLongerServed() throws Exception {
        everythingHappens();
        status.set(Optional.of(status(workload(DB, new Decision.InProgress(""), Optional.empty()))));

        assertThat(get("text/plain").body()).contains("name=\"db\"").doesNotContain("name=\"web\"");
    }

    @Test
    void countersAreServedEvenIfTheAgentDoesNotReportItsStatus() throws Exception {
        everythingHappens();
        status.set(Optional.empty());

        assertThat(get("text/plain").body())
                .contains("urunner_passes_total", "urunner_queue_stuck_seconds")
                .doesNotContain("urunner_leader");
    }

    @Test
    void aScraperThatAsksForOpenMetricsGetsIt() throws Exception {
        HttpResponse<String> answer = get("application/openmetrics-text; version=1.0.0");

        assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("application/openmetrics-text");
        assertThat(answer.body()).endsWith("# EOF\n");
    }

    @Test
    void manyNamespacesDoNotCreateManyMetrics() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            metrics.served(AgentListener.Served.PLAN, "n" + i);
        }
        metrics.served(AgentListener.Served.PLAN, "n7");

        List<String> served = lines().stream()
                .filter(line -> line.startsWith("urunner_served_total{"))
                .toList();
        assertThat(served)
                .hasSize(201)
                .contains(
                        "urunner_served_total{namespace=\"n7\",what=\"plan\"} 2.0",
                        "urunner_served_total{namespace=\"(other)\",what=\"plan\"} 800.0");
    }

    @Test
    void theDocumentListsExactlyWhatIsServed() throws Exception {
        everythingHappens();

        assertThat(documented()).isEqualTo(served());
    }

    /** Type and labels by name. */
    private static Map<String, String> documented() throws Exception {
        Pattern row = Pattern.compile("\\| `([a-z_]+)` \\| (\\w+) \\| ([^|]*?) ?\\| .*");
        return Files.readAllLines(DOCUMENT).stream()
                .map(row::matcher)
                .filter(Matcher::matches)
                .collect(Collectors.toMap(
                        match -> match.group(1),
                        match -> match.group(2) + " "
                                + Arrays.stream(match.group(3).replace("`", "").split(","))
                                        .map(String::strip)
                                        .filter(label -> !label.isEmpty())
                                        .collect(Collectors.toCollection(TreeSet::new)),
                        (a, b) -> a + " and " + b,
                        TreeMap::new));
    }

    private Map<String, String> served() throws Exception {
        Pattern label = Pattern.compile("([a-z_]+)=\"");
        List<String> lines = lines();
        Function<String, Set<String>> labels = name -> lines.stream()
                .filter(line -> line.matches(name + "(_bucket|_sum|_count)?[{ ].*"))
                .flatMap(line -> label.matcher(line).results())
                .map(match -> match.group(1))
                .filter(any -> !any.equals("le") && !any.equals("quantile"))
                .collect(Collectors.toCollection(TreeSet::new));
        return lines.stream()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.split(" ", -1))
                .collect(Collectors.toMap(
                        words -> words[2],
                        words -> words[3] + " " + labels.apply(words[2]),
                        (a, b) -> a + " and " + b,
                        TreeMap::new));
    }

    static List<String> nasty() {
        return NastyStrings.all();
    }

    @ParameterizedTest
    @MethodSource("nasty")
    void aLabelIsOneShortLineWhateverItsName(String text) throws Exception {
        metrics.passed(text, Duration.ZERO);
        metrics.resolved(text, text, "found", Duration.ZERO);
        status.set(Optional.of(TestAgentStatus.at(NOW)
                .workloads(List.of(TestWorkloadStatus.of(new WorkloadId(text, WorkloadKind.DEPLOYMENT, text))
                        .state(new State(State.Kind.FAILED, "", text, Optional.empty(), Optional.empty(), true))
                        .build()))
                .build()));

        String served = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                                .build(),
                        BodyHandlers.ofString())
                .body();

        assertThat(served).contains("urunner_workload_staleness_seconds{", "urunner_passes_total{");
        assertThat(served.lines())
                .allSatisfy(line -> NastyStrings.assertHarmless(line, 1500))
                .allMatch(line -> line.matches("#.*|[a-z_]+(\\{.*})? \\S+"));
    }
}
