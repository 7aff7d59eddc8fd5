package io.urunner.agent.app.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmGarbageCollectorMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmMemoryMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmRuntimeInfoMetric;
import io.prometheus.metrics.instrumentation.jvm.JvmThreadsMetrics;
import io.prometheus.metrics.instrumentation.jvm.ProcessMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.app.http.Endpoint;
import io.urunner.agent.plan.Outcome;
import io.urunner.registry.RateLimit;
import io.urunner.registry.RegistryObserver;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Counts what the agent and its registry client do. {@code docs/metrics.md} lists what is served. Label values are
 * configured registries, watched workloads, a bounded number of namespaces, and words from fixed sets, so their number
 * is bounded. Thread-safe.
 */
public final class AgentMetrics implements AgentListener, RegistryObserver {
    private static final double[] ANSWER_SECONDS = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
    private static final double[] ROLLOUT_SECONDS = {1, 5, 10, 30, 60, 120, 300, 600, 900};

    /** Served from the start, so that the first failure is an increase, too. */
    private static final List<String> OUTCOMES =
            List.of("succeeded", "still_old_image", "failed", "timed_out", "superseded");

    /** The number of namespaces with series of their own: the first ones that are served. */
    private static final int NAMESPACES = 200;

    /** All other namespaces together; no namespace can have this name. */
    private static final String OTHERS = "(other)";

    private static final String REGISTRY = "registry";
    private static final String OUTCOME = "outcome";
    private static final String SUCCESS = "success";
    private static final String FAILURE = "failure";

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final InstantSource clock;

    private final Counter passes =
            counter("urunner_passes_total", "Passes over all references of a registry.", REGISTRY);
    private final Counter resolves =
            counter("urunner_resolves_total", "Questions for the digest of a reference.", REGISTRY, OUTCOME);
    private final Histogram resolveSeconds = histogram(
            "urunner_resolve_duration_seconds",
            "Time until a question for a digest was answered.",
            ANSWER_SECONDS,
            REGISTRY);
    private final Counter tokens =
            counter("urunner_token_fetches_total", "Tokens requested from token servers.", REGISTRY, OUTCOME);
    private final Counter retries = counter("urunner_request_retries_total", "Requests that were retried.", REGISTRY);
    private final Counter passedOver = counter(
            "urunner_mirror_fallbacks_total",
            "Requests that a mirror had no answer to, so that the next mirror or the registry was asked.",
            REGISTRY,
            "mirror");
    private final Counter hints = counter("urunner_hints_total", "Push hints that were received.", "hook", OUTCOME);
    private final Counter reloads = counter("urunner_reloads_total", "Attempts to reload the configuration.", OUTCOME);
    private final Gauge configurationValid = Gauge.builder()
            .name("urunner_configuration_valid")
            .help("1 if the configuration was valid when it was last read.")
            .register(registry);
    private final Counter runaways = counter(
            "urunner_runaways_stopped_total", "Times that something was about to be repeated endlessly.", "what");
    private final Counter served =
            counter("urunner_served_total", "Work done for a namespace in its turn.", "what", "namespace");
    private final Set<String> namespaces = ConcurrentHashMap.newKeySet();
    private final Counter rollouts = counter("urunner_rollouts_total", "Rollouts that ended.", OUTCOME);
    private final Histogram rolloutSeconds = histogram(
            "urunner_rollout_duration_seconds",
            "Time from the patch to the end of the rollout.",
            ROLLOUT_SECONDS,
            OUTCOME);

    /**
     * Metrics of an agent that has done nothing yet.
     *
     * @param version the agent's version
     * @param clock the time
     */
    public AgentMetrics(String version, InstantSource clock) {
        this.clock = clock;
        Info.builder()
                .name("urunner_build_info")
                .help("The running version.")
                .labelNames("version")
                .register(registry)
                .setLabelValues(version);
        OUTCOMES.forEach(rollouts::initLabelValues);
        List.of(SUCCESS, FAILURE).forEach(reloads::initLabelValues);
        configurationValid.set(1);
        List.of(Runaway.values()).forEach(what -> runaways.initLabelValues(Words.label(what.name())));
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder().name(name).help(help).labelNames(labels).register(registry);
    }

    private Histogram histogram(String name, String help, double[] bounds, String... labels) {
        return Histogram.builder()
                .name(name)
                .help(help)
                .labelNames(labels)
                .classicOnly()
                .classicUpperBounds(bounds)
                .register(registry);
    }

    /**
     * The endpoint that Prometheus scrapes: these metrics, those of the agent's state, of the JVM and of the process.
     * To be called once.
     *
     * @param status the agent's status, queried at every scrape
     * @param rateLimit the limit that a registry host last reported
     * @param stuck by queue of the agent how long it has been stuck
     * @return the endpoint
     */
    public Endpoint endpoint(
            StatusSource status,
            Function<String, Optional<RateLimit>> rateLimit,
            Supplier<Map<String, Duration>> stuck) {
        registry.register(new StatusCollector(status, rateLimit, stuck));
        JvmMemoryMetrics.builder().register(registry);
        JvmGarbageCollectorMetrics.builder().register(registry);
        JvmThreadsMetrics.builder().register(registry);
        JvmRuntimeInfoMetric.builder().register(registry);
        ProcessMetrics.builder().register(registry);
        return Endpoint.reading(request -> {
            ExpositionFormatWriter writer = formats.findWriter(request.header("Accept"));
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            writer.write(text, registry.scrape());
            return new Endpoint.Response(200, writer.getContentType(), text.toString(StandardCharsets.UTF_8), Map.of());
        });
    }

    @Override
    public void passed(String host, Duration took) {
        passes.labelValues(Words.name(host)).inc();
    }

    @Override
    public void resolved(String host, String reference, String outcome, Duration took) {
        resolves.labelValues(Words.name(host), Words.label(outcome)).inc();
        resolveSeconds.labelValues(Words.name(host)).observe(Unit.nanosToSeconds(took.toNanos()));
    }

    @Override
    public void rolloutEnded(Rollout rollout, Outcome outcome) {
        String word = Words.label(outcome.name());
        rollouts.labelValues(word).inc();
        Duration took = Duration.between(rollout.requested(), clock.instant());
        rolloutSeconds.labelValues(word).observe(Unit.nanosToSeconds(took.toNanos()));
    }

    @Override
    public void stopped(Runaway what) {
        runaways.labelValues(Words.label(what.name())).inc();
    }

    @Override
    public void served(Served what, String namespace) {
        boolean own = namespaces.contains(namespace) || (namespaces.size() < NAMESPACES && namespaces.add(namespace));
        served.labelValues(Words.label(what.name()), own ? namespace : OTHERS).inc();
    }

    @Override
    public void tokenFetched(String host, String tokenServer, boolean success, Duration elapsed) {
        tokens.labelValues(Words.name(host), success ? SUCCESS : FAILURE).inc();
    }

    @Override
    public void retried(String host, int attempt, Duration delay, String reason) {
        retries.labelValues(Words.name(host)).inc();
    }

    @Override
    public void mirrorPassedOver(String host, String mirror, String reason) {
        passedOver.labelValues(Words.name(host), Words.name(mirror)).inc();
    }

    /**
     * A push hint was answered.
     *
     * @param hook the hook
     * @param outcome the outcome, a word from a fixed set
     */
    public void hinted(String hook, String outcome) {
        hints.labelValues(Words.name(hook), Words.label(outcome)).inc();
    }

    /**
     * The configuration was read again.
     *
     * @param success whether it was valid
     */
    public void reloaded(boolean success) {
        reloads.labelValues(success ? SUCCESS : FAILURE).inc();
        configurationValid.set(success ? 1 : 0);
    }
}
