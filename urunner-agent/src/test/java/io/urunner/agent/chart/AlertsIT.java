package io.urunner.agent.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.State;
import io.urunner.registry.testing.Program;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The chart's alerts, evaluated by Prometheus itself ({@code promtool test rules}) on series like those of real agents.
 */
@Tag("heavy")
class AlertsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WEB = "namespace=\"shop\",kind=\"Deployment\",name=\"web\"";
    private static final String WEB_FIRES = "kind=\"Deployment\", name=\"web\", namespace=\"shop\"";
    private static final String REGISTRY = "registry=\"ghcr.io\"";
    private static final Pattern SAMPLE = Pattern.compile("\\{alertname=\"(\\w+)\"(?:, )?([^}]*)} (\\S+?),?(?= |$)");
    /** Cached by namespace and values: rendering takes longer than evaluating. */
    private static final Map<String, JsonNode> RENDERED = new ConcurrentHashMap<>();

    private static final Pattern TIME = Pattern.compile(", time: ([0-9hms]+),$");
    private static final String RULES = "prometheusRule: {enabled: true}";

    @TempDir
    private Path folder;

    private Path promtool;
    private final Map<String, Path> rules = new TreeMap<>();

    @BeforeEach
    void rules() {
        promtool = Program.require("promtool", "Debian's package prometheus");
        rules.put("agents", rules("agents", RULES));
    }

    /** The series of one agent of a release in a namespace: the values of two hours, one per minute. */
    private static final class Agent {
        private final String from;
        private final Map<String, String> series = new LinkedHashMap<>();

        /** An agent that acts, and without any problems. */
        Agent(String release, String instance) {
            // As a ServiceMonitor labels it. The label `namespace` is the release's if a series has none of its own.
            from = "job=\"urunner\",instance=\"" + instance + "\",pod=\"" + instance + "\",urunner_release=\"" + release
                    + "/urunner\"";
            set("urunner_leader", "", "1+0x120");
            set("urunner_synced", "", "1+0x120");
            set("urunner_namespaces", "", "2+0x120");
            set("urunner_watch_problems", "", "0+0x120");
            set("urunner_history_up", "", "1+0x120");
            set("urunner_configuration_valid", "", "1+0x120");
            set("urunner_queue_stuck_seconds", "queue=\"patches\"", "0+0x120");
            set("urunner_runaways_stopped_total", "what=\"patch\"", "0+0x120");
            set("urunner_registry_up", REGISTRY, "1+0x120");
            set("urunner_registry_references", REGISTRY, "3+0x120");
            set("urunner_registry_rate_limit_remaining", REGISTRY, "90+0x120");
            set("urunner_workload_state", state("up_to_date", "", false), "1+0x120");
            set("urunner_workload_staleness_seconds", WEB + ",state=\"up_to_date\"", "0+0x120");
        }

        Agent set(String metric, String labels, String values) {
            series.put(metric + "{" + from + (labels.isEmpty() ? "" : "," + labels) + "}", values);
            return this;
        }

        /** The workload has a problem, at the times given by the values. */
        Agent ill(String state, String cause, String values) {
            return set("urunner_workload_state", state(state, cause, true), values);
        }

        private static String state(String state, String cause, boolean ill) {
            return WEB + ",state=\"%s\",cause=\"%s\",ill=\"%s\"".formatted(state, cause, ill);
        }

        /** Nothing is served from the given minute on. */
        Agent deadFrom(int minute) {
            series.replaceAll((each, values) -> values.replace("x120", "x" + minute) + " stale");
            return this;
        }

        /** Nothing is served for some minutes, as while its pod is replaced. */
        Agent awayFrom(int minute, int minutes) {
            series.replaceAll((each, values) -> {
                String same = values.replaceFirst("x.*", "");
                return "%sx%d stale _x%d %sx60".formatted(same, minute, minutes, same);
            });
            return this;
        }
    }

    private static Agent agent() {
        return new Agent("agents", "a");
    }

    @Test
    void nothingFiresWhileEverythingIsFine() throws Exception {
        assertFiring(agent()).nothingAt(1).nothingAt(60).nothingAt(120);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "URunnerNobodyActs         | urunner_leader | | 0 | 5 | ",
                "URunnerClusterNotSeen     | urunner_synced | | 0 | 10 | ",
                "URunnerPermissionMissing  | urunner_watch_problems | | 1 | 5 | ",
                "URunnerHistoryLost        | urunner_history_up | | 0 | 15 | ",
                "URunnerConfigurationWrong | urunner_configuration_valid | | 0 | 1 | ",
                "URunnerQueueStuck         | urunner_queue_stuck_seconds | queue=\"patches\" | 200 | 1 | queue=\"patches\"",
                "URunnerRegistryUnused     | urunner_registry_references | registry=\"ghcr.io\" | 0 | 30 | registry=\"ghcr.io\"",
                "URunnerRegistryFails      | urunner_registry_up | registry=\"ghcr.io\" | 0 | 15 | registry=\"ghcr.io\"",
                "URunnerRateLimitNear      | urunner_registry_rate_limit_remaining | registry=\"ghcr.io\" | 7 | 5 | registry=\"ghcr.io\"",
                "URunnerNothingWatched     | urunner_namespaces | | 0 | 30 | ",
                "URunnerWorkloadStale      | urunner_workload_staleness_seconds | "
                        + "namespace=\"shop\",kind=\"Deployment\",name=\"web\",state=\"up_to_date\" | 1801 | 1 | "
                        + WEB_FIRES
            })
    void theAgentsReportsOnItselfAndItsRegistriesFire(
            String alert, String metric, String labels, int bad, int minutes, String fires) throws Exception {
        String with = labels == null ? "" : labels;
        int well = metric.equals("urunner_registry_rate_limit_remaining")
                ? 90
                : metric.matches(".*(leader|synced|up|valid|references|namespaces)") ? 1 : 0;
        Agent agent = agent().set(metric, with, "%d+0x9 %d+0x49 %d+0x60".formatted(well, bad, well));

        assertFiring(agent)
                .nothingAt(9)
                .nothingAt(10 + minutes - 1)
                .at(10 + minutes + 1, fires(alert, fires))
                .at(58, fires(alert, fires))
                .nothingAt(70);
    }

    @Test
    void aNamespaceThatLostTheLabelIsNamedForAnHour() throws Exception {
        assertFiring(agent().set("urunner_namespace_lost_timestamp_seconds", "namespace=\"shop\"", "_x10 600+0x100"))
                .nothingAt(9)
                .at(12, fires("URunnerNamespaceLost", "namespace=\"shop\""))
                .at(68, fires("URunnerNamespaceLost", "namespace=\"shop\""))
                .nothingAt(75);
    }

    @ParameterizedTest
    @CsvSource({
        "URunnerWorkloadFailed, failed, , 1",
        "URunnerWorkloadPartlyOld, partly_old, the_rollout_failed, 1",
        "URunnerWorkloadStillOld, still_the_old_image, , 1",
        "URunnerTagNotFound, waiting, tag_not_found, 15",
        "URunnerNoCredential, waiting, no_credential, 5",
        "URunnerCredentialRejected, waiting, credential_rejected, 5",
        "URunnerAccessDenied, waiting, access_denied, 5",
        "URunnerDigestQuarantined, blocked, digest_quarantined, 1",
        "URunnerAnnotationWrong, blocked, wrong_policy_annotation, 1",
        "URunnerWorkloadTooLarge, blocked, too_large_to_be_followed, 5",
        "URunnerPermissionMissing, blocked, missing_permission, 5"
    })
    void aWorkloadWithAProblemIsNamedUntilItIsFixed(String alert, String state, String cause, int minutes)
            throws Exception {
        Agent agent = agent().ill(state, cause == null ? "" : cause, "_x10 1+0x50 stale");
        String fires = fires(alert, WEB_FIRES);

        assertFiring(agent)
                .nothingAt(9)
                .nothingAt(10 + minutes - 1)
                .at(10 + minutes + 1, fires)
                .at(60, fires)
                .nothingAt(70);
        assertFiring(agent().set(
                                "urunner_workload_state",
                                Agent.state(state, cause == null ? "" : cause, false),
                                "1+0x120"))
                .nothingAt(60);
    }

    static Stream<String> troubles() {
        return Stream.concat(
                Arrays.stream(Deferral.values())
                        .filter(Deferral::isTrouble)
                        .map(each -> "waiting," + label(each.words())),
                Arrays.stream(Blockage.values())
                        .filter(Blockage::isTrouble)
                        .map(each -> "blocked," + label(each.words())));
    }

    /** Including kinds that may be added in the future. */
    @ParameterizedTest
    @MethodSource("troubles")
    void everyTroubleHasOneAlert(String trouble) throws Exception {
        String[] words = trouble.split(",", 2);
        assertThat(firing(60, agent().ill(words[0], words[1], "1+0x120"))).hasSize(1);
        assertThat(firing(60, agent().ill(words[0], "of_a_kind_that_is_new", "1+0x120")))
                .containsExactly(fires("URunnerWorkloadNotWell", "cause=\"of_a_kind_that_is_new\", " + WEB_FIRES));
    }

    @ParameterizedTest
    @EnumSource
    void everyStateThatNeedsAttentionHasOneAlert(State.Kind kind) throws Exception {
        assertThat(firing(60, agent().ill(label(kind.words()), "", "1+0x120"))).hasSize(1);
    }

    @Test
    void anOldFailureIsReportedAfterARestartOfTheAgentAndWhileItIsDown() throws Exception {
        String failed = fires("URunnerWorkloadFailed", WEB_FIRES);
        assertFiring(agent().ill("failed", "", "1+0x120").awayFrom(20, 3))
                .at(19, failed)
                .at(22, failed)
                .at(26, failed)
                .at(60, failed);
        assertFiring(new Agent("agents", "new").ill("failed", "", "1+0x120")).at(2, failed);
    }

    @Test
    void twoReplicasReportEverythingOnce() throws Exception {
        Agent standby = new Agent("agents", "b").set("urunner_leader", "", "0+0x120");
        assertFiring(agent(), standby).nothingAt(60);
        assertFiring(agent().ill("failed", "", "1+0x120"), standby.ill("failed", "", "1+0x120"))
                .at(60, fires("URunnerWorkloadFailed", WEB_FIRES));
        assertFiring(
                        agent().set("urunner_registry_up", REGISTRY, "0+0x120"),
                        new Agent("agents", "b").set("urunner_registry_up", REGISTRY, "0+0x120"))
                .at(60, fires("URunnerRegistryFails", REGISTRY));
        assertFiring(
                        agent().set("urunner_leader", "", "0+0x120"),
                        new Agent("agents", "b").set("urunner_leader", "", "0+0x120"))
                .at(60, fires("URunnerNobodyActs", ""));
    }

    /** Two releases of the same name in two namespaces have the same `job` in Prometheus. */
    @Test
    void twoReleasesOfTheSameNameHaveSeparateAlerts() throws Exception {
        rules.put("others", rules("others", RULES));
        Agent dead = agent().deadFrom(10);
        new Firing(", urunner_release", dead, new Agent("others", "b"))
                .nothingAt(9)
                .at(20, "1 URunnerNobodyActs{urunner_release=\"agents/urunner\"}");
        Agent failing = agent().ill("failed", "", "1+0x120");
        new Firing(", urunner_release", failing, new Agent("others", "b"))
                .at(20, "1 URunnerWorkloadFailed{" + WEB_FIRES + ", urunner_release=\"agents/urunner\"}");
        new Firing(", urunner_release", new Agent("others", "b"))
                .at(20, "1 URunnerNobodyActs{urunner_release=\"agents/urunner\"}");
    }

    @Test
    void aRunawayIsReportedForTwoHoursButOldOnesAreNot() throws Exception {
        assertFiring(agent().set("urunner_runaways_stopped_total", "what=\"patch\"", "0+0x5 1+0x120"))
                .nothingAt(5)
                .at(10, fires("URunnerRunaway", "what=\"patch\""))
                .at(120, fires("URunnerRunaway", "what=\"patch\""));
        assertFiring(agent().set("urunner_runaways_stopped_total", "what=\"patch\"", "7+0x120"))
                .nothingAt(60);
    }

    @Test
    void intendedStatesFireNoAlert() throws Exception {
        for (String state : List.of("held", "blocked", "partly_old")) {
            assertFiring(agent().set(
                                    "urunner_workload_staleness_seconds",
                                    WEB + ",state=\"" + state + "\"",
                                    "90000+0x120"))
                    .nothingAt(60);
        }
        assertFiring(agent().ill("failed", "", "1+0x120")
                        .set("urunner_workload_staleness_seconds", WEB + ",state=\"failed\"", "90000+0x120"))
                .at(60, fires("URunnerWorkloadFailed", WEB_FIRES));
    }

    /** For six hours, as with Docker Hub's limit. A pause of some minutes is not worth an alert. */
    @Test
    void aRegistryThatIsNotAskedForALongTimeIsReported() throws Exception {
        String metric = "urunner_registry_waits_until_timestamp_seconds";
        assertFiring(agent().set(metric, REGISTRY, "_x10 " + 6 * 3600 + "+0x60 stale"))
                .nothingAt(14)
                .at(16, fires("URunnerRateLimited", REGISTRY))
                .at(70, fires("URunnerRateLimited", REGISTRY))
                .nothingAt(80);
        assertFiring(agent().set(metric, REGISTRY, "_x10 " + 20 * 60 + "+0x10 stale"))
                .nothingAt(16);
    }

    @Test
    void withoutAnyNamespaceOnlyOneAlertFires() throws Exception {
        assertFiring(agent().set("urunner_namespaces", "", "0+0x120")
                        .set("urunner_registry_references", REGISTRY, "0+0x120")
                        .set("urunner_registry_up", REGISTRY, "0+0x120"))
                .at(60, fires("URunnerNothingWatched", ""));
    }

    @Test
    void aRegistryWithoutReferencesIsUnusedNotFailing() throws Exception {
        assertFiring(agent().set("urunner_registry_references", REGISTRY, "0+0x120")
                        .set("urunner_registry_up", REGISTRY, "0+0x120"))
                .at(60, fires("URunnerRegistryUnused", REGISTRY));
    }

    @Test
    void singleAlertsCanBeDisabledAndTuned() throws Exception {
        rules.put("agents", rules("agents", """
                prometheusRule:
                  enabled: true
                  disabled: [URunnerTagNotFound]
                  alerts:
                    URunnerAccessDenied: {for: 40m, keepFiringFor: 20m, severity: info, labels: {team: a}}
                """));
        assertFiring(agent().ill("waiting", "tag_not_found", "1+0x120")).nothingAt(60);
        Agent denied = agent().ill("waiting", "access_denied", "1+0x60 stale");
        String fires = "1 URunnerAccessDenied{" + WEB_FIRES + ", severity=\"info\", team=\"a\"}";
        new Firing(", severity, team", denied).nothingAt(39).at(41, fires).at(75, fires);
    }

    private static String label(String words) {
        return words.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_");
    }

    private static String fires(String alert, String labels) {
        return "1 " + alert + "{" + (labels == null ? "" : labels) + "}";
    }

    private JsonNode rendered(String namespace, String values) {
        return RENDERED.computeIfAbsent(
                namespace + ": " + values,
                key -> Chart.render("1.30.0", namespace, Chart.file(folder, values))
                        .only("PrometheusRule")
                        .at("/spec/groups/0/rules"));
    }

    /** A rules file like the one that the operator generates from the rendered object. */
    private Path rules(String namespace, String values) {
        ObjectNode file = JSON.createObjectNode();
        file.putArray("groups").addObject().put("name", namespace).set("rules", rendered(namespace, values));
        return write(folder.resolve(namespace + "-rules.yaml"), file.toString());
    }

    private Firing assertFiring(Agent... agents) throws Exception {
        return new Firing("", agents);
    }

    private List<String> firing(int minute, Agent... agents) throws Exception {
        return assertFiring(agents).at(minute);
    }

    /** The firing alerts, minute by minute. */
    private final class Firing {
        private final Map<Integer, List<String>> alerts = new HashMap<>();

        /** Evaluates everything at once, grouped by the identifying labels and additional ones. */
        Firing(String furtherLabels, Agent... agents) throws Exception {
            ObjectNode file = JSON.createObjectNode().put("evaluation_interval", "1m");
            rules.values().forEach(each -> file.withArray("rule_files").add(each.toString()));
            ObjectNode test = file.putArray("tests").addObject().put("interval", "1m");
            ArrayNode input = test.putArray("input_series");
            for (Agent agent : agents) {
                agent.series.forEach((series, values) ->
                        input.addObject().put("series", series).put("values", values));
            }
            ArrayNode queries = test.putArray("promql_expr_test");
            for (int minute = 0; minute <= 120; minute++) {
                // Expected to be empty, so that promtool prints what it got.
                queries.addObject()
                        .put(
                                "expr",
                                "count by (alertname, namespace, kind, name, registry, queue, what, cause"
                                        + furtherLabels + ") (ALERTS{alertstate=\"firing\"})")
                        .put("eval_time", minute + "m")
                        .putArray("exp_samples");
                alerts.put(minute, new ArrayList<>());
            }
            Path tests = write(folder.resolve("tests.yaml"), file.toString());
            Path out = folder.resolve("promtool.out");
            Process process = new ProcessBuilder(promtool.toString(), "test", "rules", tests.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(out.toFile())
                    .start();
            int code = process.waitFor();
            String said = Files.readString(out, StandardCharsets.UTF_8);
            int minute = -1;
            int found = 0;
            for (String line : said.lines().toList()) {
                Matcher time = TIME.matcher(line);
                if (time.find()) {
                    minute = (int) Duration.parse("PT" + time.group(1).toUpperCase(Locale.ROOT))
                            .toMinutes();
                } else if (line.strip().startsWith("got:")) {
                    for (MatchResult sample : SAMPLE.matcher(line).results().toList()) {
                        found++;
                        alerts.getOrDefault(minute, new ArrayList<>())
                                .add("%.0f %s{%s}"
                                        .formatted(
                                                Double.parseDouble(sample.group(3)), sample.group(1), sample.group(2)));
                    }
                }
            }
            assertThat(code == 0 || found > 0).as(said).isTrue();
        }

        List<String> at(int minute) {
            return alerts.getOrDefault(minute, List.of());
        }

        Firing at(int minute, String... expected) {
            assertThat(at(minute)).as("after %d minutes", minute).containsExactlyInAnyOrder(expected);
            return this;
        }

        Firing nothingAt(int minute) {
            return at(minute, new String[0]);
        }
    }

    private static Path write(Path file, String text) {
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
