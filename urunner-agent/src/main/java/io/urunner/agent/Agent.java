package io.urunner.agent;

import io.urunner.agent.engine.Engine;
import io.urunner.agent.engine.Listeners;
import io.urunner.agent.engine.Reports;
import io.urunner.agent.engine.Watchdog;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.LoopThread;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.loop.Threads;
import io.urunner.agent.rollouts.EventWriter;
import io.urunner.agent.rollouts.Leadership;
import io.urunner.agent.rollouts.Patches;
import io.urunner.agent.workloads.KubeCluster;
import io.urunner.agent.workloads.PodCredentials;
import io.urunner.agent.workloads.Visibility;
import io.urunner.kube.KubeAccess;
import io.urunner.kube.KubeConfiguration;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.KubeEvents;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.RegistryException;
import io.urunner.registry.UnavailableException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent: watches workloads, asks registries, and rolls out what is stale. It owns its threads, all named {@code
 * urunner-…}; their number does not grow with the workloads. Thread-safe. Single use: {@link #start} or {@link #once}
 * once, {@link #close} any number of times.
 */
public final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

    /** One renews the Lease; the other can release it while a renewal hangs. */
    private static final int LEASE_WORKERS = 2;

    /** Events queue behind each other; patches do not wait for them. */
    private static final int EVENT_WRITERS = 2;

    /** There is at most one patch per workload, one write to the store and one renewal of the Lease at a time. */
    private static final int UNLIMITED = Integer.MAX_VALUE;

    private static final Duration WATCH_PERIOD = Duration.ofMillis(500);
    /** How often a single look asks again where only the next answer decides. */
    private static final int MOST_LOOKS = 10;

    private static final Duration POLL = Duration.ofMillis(50);
    /** After this time without a sign of life, the loop is considered dead. */
    private static final Duration DEAD = Duration.ofSeconds(30);
    /** How long {@link #close} waits for patches that are under way, for the loop, and in total. */
    private static final Duration PATCHES_END = Duration.ofSeconds(2);

    private static final Duration LOOP_ANSWERS = Duration.ofSeconds(1);
    private static final Duration ALL_ENDS = Duration.ofSeconds(4);

    private static final Duration ANSWER = Duration.ofSeconds(5);
    /** How long to wait for a registry's answer, including the time in its queue. */
    private static final Duration CHECK = Duration.ofSeconds(60);

    private final LoopThread loop;
    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor kubeThreads;
    private final ThreadPoolExecutor kubeWorkers;
    private final ThreadPoolExecutor eventWriters;
    private final ThreadPoolExecutor registryWorkers;
    private final ThreadPoolExecutor storeThread;
    private final KubeConnection connection;
    private final KubeCluster cluster;
    private final ThreadPoolExecutor leaseWorkers;
    private final Optional<Leadership> leadership;
    private final Memory memory;
    private final PodCredentials pullSecrets;
    private final StateLog problems;
    private final Visibility visibility;
    private final Engine engine;
    private final Reports reports;
    private final Watchdog watchdog;

    private State state = State.NEW;
    private volatile boolean passed;
    private volatile boolean looking;

    private enum State {
        NEW,
        STARTED,
        CLOSED
    }

    /**
     * Returns a builder of an agent for the cluster of an API server.
     *
     * @param kubernetes how to reach the API server
     * @return a builder with everything else at its default
     */
    public static AgentBuilder builder(KubeConfiguration kubernetes) {
        return new AgentBuilder(kubernetes);
    }

    Agent(AgentBuilder parts) {
        clock = parts.clock;
        loop = new LoopThread(Threads.named("loop"), parts.ticker);
        problems = new StateLog(LOG, loop);
        kubeThreads = new ScheduledThreadPoolExecutor(2, Threads.named("watch"));
        kubeThreads.setRemoveOnCancelPolicy(true);
        kubeWorkers = pool(Patches.AT_ONCE, UNLIMITED, "patch");
        eventWriters = pool(EVENT_WRITERS, UNLIMITED, "event");
        registryWorkers = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), Threads.named("registry"));
        storeThread = pool(1, UNLIMITED, "store");
        connection = new KubeConnection(parts.kubernetes, kubeThreads, "urunner");
        cluster = new KubeCluster(connection, parts.scope, parts.ticker);
        leaseWorkers = pool(LEASE_WORKERS, UNLIMITED, "lease");
        memory = new Memory(parts.store, loop, clock, storeThread, problems);
        pullSecrets = new PodCredentials(clock);
        if (parts.pullSecrets) {
            connect(pullSecrets);
        }
        List<AgentListener> listeners = new ArrayList<>(parts.listeners);
        EventWriter events = new EventWriter(
                new KubeEvents(connection, "urunner", parts.instance, clock)::write,
                cluster,
                eventWriters,
                EVENT_WRITERS,
                loop,
                problems,
                new Listeners(parts.listeners));
        listeners.add(events);
        watchdog = new Watchdog(loop::nanos);
        listeners.add(watchdog);
        Context context = new Context(loop, clock, problems, new Listeners(listeners), this::acts);
        visibility = new Visibility(context, cluster);
        engine = new Engine(new Engine.Parts(
                context,
                cluster,
                parts.registries(pullSecrets),
                Optional.of(pullSecrets).filter(any -> parts.pullSecrets),
                memory,
                new Engine.Workers(kubeWorkers, registryWorkers),
                new Engine.Rules(parts.policy, parts.limits, parts.retention)));
        leadership = parts.lease.map(
                lease -> new Leadership(lease, connection, clock, parts.ticker, leaseWorkers, loop, engine::leads));
        reports = new Reports(engine, cluster, memory, clock);
        watchdog.watch("patches", Watchdog.API_SERVER, engine::patchesStandStill);
        watchdog.watch("events", Watchdog.API_SERVER, events::standsStill);
        watchdog.watch("history", Watchdog.STORE, memory::standsStill);
    }

    private void connect(PodCredentials credentials) {
        credentials.connect(new KubeAccess(connection), new PodCredentials.Problems() {
            @Override
            public void missing(String what, String message) {
                loop.execute(() ->
                        problems.problem(what, "forbidden", message + "; the agent uses only its own credentials"));
            }

            @Override
            public void well(String what) {
                loop.execute(() -> problems.well(what));
            }
        });
    }

    private static ThreadPoolExecutor pool(int threads, int waiting, String name) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(waiting), Threads.named(name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /**
     * Starts watching and rolling out; returns at once. What cannot be reached is reported and retried. With a Lease, this
     * agent takes part in the election once it has seen the cluster, and acts only while it leads.
     *
     * @throws IllegalStateException if it has already been started or closed
     */
    public void start() {
        begin();
        loop.execute(() -> whenSynced(() -> {
            leadership.ifPresent(Leadership::start);
            engine.start();
        }));
        loop.every(WATCH_PERIOD, this::watchOver);
    }

    /**
     * Makes one pass over everything: waits until the agent is synced with the cluster, asks every registry once, and
     * starts the rollouts that are due, without waiting for their end. This needs no Lease.
     *
     * @param timeout how long it may take in total
     * @return the result
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalStateException if it has already been started or closed
     */
    public OnceReport once(Duration timeout) throws InterruptedException {
        List<String> late = see(timeout).stream().toList();
        return ask(() -> reports.once(late))
                .orElseGet(() -> new OnceReport(List.of(), List.of("the agent was closed")));
    }

    /**
     * Checks everything once and changes nothing: rollouts are only planned, and no Event is written. Afterwards
     * {@link #status} reports what was seen.
     *
     * @param timeout how long it may take in total
     * @return what was not seen in that time, in words; empty if everything was
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalStateException if it has already been started or closed
     */
    public Optional<String> look(Duration timeout) throws InterruptedException {
        looking = true;
        memory.readOnly();
        return see(timeout);
    }

    private Optional<String> see(Duration timeout) throws InterruptedException {
        begin();
        CompletableFuture<Optional<String>> trouble = new CompletableFuture<>();
        loop.execute(() -> whenSynced(() -> {
            engine.start();
            whenQuiet(MOST_LOOKS, () -> trouble.complete(Optional.empty()));
        }));
        loop.execute(() ->
                visibility.whenUnreachable(timeout, () -> trouble.complete(Optional.of("cannot see the cluster"))));
        try {
            return trouble.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return Optional.of(
                    visibility.synced()
                            ? "not everything was checked within " + timeout.toSeconds() + " s"
                            : "not synced with the cluster within " + timeout.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw new IllegalStateException("completed without an exception", e);
        }
    }

    /**
     * Gives access to the API server for small requests, over this agent's connection.
     *
     * @return the access; usable until this is closed
     */
    public KubeAccess access() {
        return new KubeAccess(connection);
    }

    /**
     * Returns the pull secrets of a namespace's watched workloads.
     *
     * @param namespace the namespace
     * @return the credentials in them; none where {@linkplain AgentBuilder#pullSecrets pull secrets are not read}
     */
    public PullSecretSource pullSecrets(String namespace) {
        return pullSecrets.of(namespace);
    }

    private synchronized void begin() {
        if (state != State.NEW) {
            throw new IllegalStateException("an agent can be started only once");
        }
        state = State.STARTED;
        loop.start();
        cluster.start(id -> loop.execute(() -> {
            if (visibility.synced()) {
                engine.changed(id);
            }
        }));
    }

    /** Both the remembered digests and the cluster must have been seen before anything is decided. */
    private void whenSynced(Runnable next) {
        memory.load(engine::resume, () -> visibility.whenSynced(next));
    }

    private void whenQuiet(int looks, Runnable next) {
        boolean quiet = engine.registries().passed() && engine.quiet();
        boolean again = quiet && looks > 0 && engine.lookAgain();
        if (quiet && !again) {
            next.run();
        } else {
            loop.after(POLL, () -> whenQuiet(again ? looks - 1 : looks, next));
        }
    }

    /** Reports what the agent cannot see or do, once per change, and notes the first pass. */
    private void watchOver() {
        visibility.report();
        leadership.ifPresent(elected -> elected.report(problems));
        boolean synced = visibility.synced();
        passed = passed || (synced && engine.registries().passed());
        watchdog.look(
                synced ? engine.registries().status() : List.of(),
                engine.registries().requestsStandStill(),
                clock.instant());
    }

    /**
     * Returns what is wrong with the agent itself, for a liveness probe. A registry or an API server that hangs does not
     * count; a queue that makes no progress although everything it waits for is past its deadline does.
     *
     * @return the problem in words; an empty string if the agent is alive
     */
    public String notAlive() {
        Duration silent = loop.sinceBeat();
        return silent.compareTo(DEAD) > 0
                ? "the scheduler has been stuck for " + silent.toSeconds() + " s"
                : watchdog.hopeless();
    }

    /**
     * Returns which of the agent's queues are stuck: they have work, but have made no progress for longer than all
     * deadlines.
     *
     * @return for each queue, how long it has been stuck; zero while it makes progress
     */
    public Map<String, Duration> stuck() {
        return watchdog.stuck();
    }

    /**
     * Returns what is not ready yet, for a readiness probe.
     *
     * @return the problem in words; an empty string once the cluster has been seen and every registry has been asked,
     *     as long as the cluster can be seen
     */
    public String notReady() {
        return visibility.problem().orElse(passed ? "" : "the first pass has not finished yet");
    }

    /**
     * Whether the last use of the history database succeeded. Rollouts do not depend on it.
     *
     * @return false while it fails
     */
    public boolean historyWorks() {
        return memory.works();
    }

    /**
     * Returns the current status.
     *
     * @return the status; empty if the agent is closed, or too busy to answer within a few seconds
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<AgentStatus> status() throws InterruptedException {
        Optional<Leadership> elected = leadership.filter(any -> !looking);
        return ask(
                () -> reports.status(visibility.hasSeenCluster(), elected.map(Leadership::status), visibility.lost()));
    }

    private boolean acts() {
        return !looking && leadership.map(Leadership::acts).orElse(true);
    }

    /**
     * Checks at once tags that are said to have been pushed: the registry is asked, within its limits and its back-off.
     *
     * @param pushed the tags
     * @return how many watched references have them; empty if the agent is closed, or too busy to answer within a few
     *     seconds
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<Integer> hint(Collection<PushedTag> pushed) throws InterruptedException {
        return ask(() -> engine.hints().pushed(pushed));
    }

    /**
     * Checks on demand whether watched registries answer: through their queues and within their limits, but also while
     * they fail. The same question within the registry's interval gets the same answer. Blocks until all have answered,
     * or a deadline has passed.
     *
     * @param probes what to ask, all at once
     * @return for each, in the same order, how it failed, or why it must not be asked now; empty if it was answered
     * @throws InterruptedException if the thread is interrupted
     */
    public List<Optional<RegistryException>> check(List<RegistryProbe> probes) throws InterruptedException {
        List<CompletableFuture<Optional<RegistryException>>> answers = new ArrayList<>();
        for (RegistryProbe probe : probes) {
            CompletableFuture<Optional<RegistryException>> answer = new CompletableFuture<>();
            answers.add(answer);
            loop.execute(() -> engine.registries().check(probe, answer::complete));
        }
        long begun = loop.nanos();
        List<Optional<RegistryException>> found = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            try {
                long left = CHECK.toNanos() - (loop.nanos() - begun);
                found.add(answers.get(i).get(Math.max(0, left), TimeUnit.NANOSECONDS));
            } catch (TimeoutException e) {
                found.add(Optional.of(new UnavailableException(
                        FailedRequest.of("check", probes.get(i).registry().registry()),
                        "it was not asked, or did not answer, within " + CHECK.toSeconds() + " s",
                        null,
                        e)));
            } catch (ExecutionException e) {
                throw new IllegalStateException("completed without an exception", e);
            }
        }
        return found;
    }

    /** Notifies the agent that credentials may have changed: healthy registries are asked at once. */
    public void credentialsChanged() {
        loop.execute(() -> engine.registries().refresh());
    }

    private <T> Optional<T> ask(Supplier<T> question) throws InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(() -> answer.complete(question.get()));
        try {
            return Optional.of(answer.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new IllegalStateException("completed without an exception", e);
        }
    }

    /**
     * Stops within five seconds: waits for patches that are under way, releases the Lease, and writes what was learned.
     * Idempotent.
     */
    @Override
    public synchronized void close() {
        long begun = loop.nanos();
        if (state == State.STARTED) {
            onLoop(LOOP_ANSWERS, done -> {
                visibility.stop();
                engine.stop();
                done.run();
            });
            drain(kubeWorkers, PATCHES_END);
            handOver();
            onLoop(left(begun), memory::end);
        }
        state = State.CLOSED;
        drain(storeThread, left(begun));
        cluster.close();
        kubeWorkers.shutdownNow();
        leaseWorkers.shutdownNow();
        eventWriters.shutdownNow();
        connection.close();
        registryWorkers.shutdownNow();
        kubeThreads.shutdownNow();
        loop.close();
    }

    private Duration left(long begun) {
        return Pace.max(ALL_ENDS.minusNanos(loop.nanos() - begun), Duration.ZERO);
    }

    private void handOver() {
        try {
            if (leadership.isPresent()) {
                leadership.get().close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a task of the loop, which reports when it is done. */
    private void onLoop(Duration patience, Consumer<Runnable> task) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        loop.execute(() -> task.accept(() -> done.complete(true)));
        try {
            done.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("the agent stops although its loop or its history database does not respond");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void drain(ExecutorService pool, Duration time) {
        pool.shutdown();
        try {
            if (!pool.awaitTermination(time.toMillis(), TimeUnit.MILLISECONDS)) {
                pool.shutdownNow();
            }
        } catch (InterruptedException e) {
            pool.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
