package io.urunner.agent.engine;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.urunner.agent.AgentListener;
import io.urunner.agent.Rollout;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Context;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Admission.Limits;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.plan.Outcome;
import io.urunner.agent.plan.Plan;
import io.urunner.agent.plan.Policy;
import io.urunner.agent.plan.State;
import io.urunner.agent.tags.Links;
import io.urunner.agent.tags.Registries;
import io.urunner.agent.tags.WatchedRegistry;
import io.urunner.agent.workloads.Cluster;
import io.urunner.agent.workloads.FakeCluster;
import io.urunner.agent.workloads.Tracked;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.DeniedException;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnauthorizedException;
import io.urunner.registry.UnavailableException;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStores;
import io.urunner.store.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** An engine with a cluster and registries in memory, whose time is advanced by hand. */
public abstract class EngineScene {
    static final Duration INTERVAL = Duration.ofSeconds(10);
    public static final String APP = "r.example/team/app:latest";
    static final String OTHER = "q.example/team/other:latest";
    public static final String D1 = digest(1);
    /** How long a rollout is followed. */
    static final Duration PATIENCE = Limits.NONE.patience();

    static final String D2 = digest(2);
    static final String D3 = digest(3);

    @TempDir
    Path folder;

    final ManualLoop loop = new ManualLoop();
    final FakeCluster cluster = new FakeCluster();
    final FakeRegistry registry = new FakeRegistry();
    final List<Outcome> ended = new ArrayList<>();
    final List<Decision> told = new ArrayList<>();
    final List<String> noticed = new ArrayList<>();
    final List<Rollout> begun = new ArrayList<>();
    final List<AgentListener.Runaway> stopped = new ArrayList<>();
    /** The reported states that are not healthy, or have recovered. */
    final List<String> toldStates = new ArrayList<>();

    final List<String> served = new ArrayList<>();
    Runnable whenMoved = () -> {};
    boolean acts = true;
    DigestStore store;
    /** The workers that wait for the API server. */
    Executor kubeWorkers = Runnable::run;

    /** With time advanced by hand, repeated questions log more lines than anybody reads. */
    public static void limitLog(@Nullable Level level) {
        ((Logger) LoggerFactory.getLogger(Registries.class.getPackageName())).setLevel(level);
    }

    @BeforeEach
    void open() {
        limitLog(Level.INFO);
        store = DigestStores.sqlite(folder.resolve("db"), "test");
        registry.tags.put(APP, D1);
        registry.tags.put(OTHER, D1);
    }

    @AfterEach
    void close() {
        limitLog(null);
        store.close();
    }

    Engine start() {
        return start(Limits.NONE);
    }

    /** The tag moves, and is asked for. */
    void push(String digest) {
        registry.tags.put(APP, digest);
        loop.advance(INTERVAL);
    }

    void standBy(Engine engine) {
        acts = false;
        engine.leads(false);
    }

    void lead(Engine engine) {
        acts = true;
        engine.leads(true);
    }

    /** The history is lost: what starts next has an empty one. */
    void loseHistory() {
        store.close();
        store = DigestStores.sqlite(folder.resolve("another"), "test");
    }

    /** How the rollouts of a workload ended according to the history, newest first. */
    List<String> outcomes(WorkloadId id) throws StoreException {
        return store.rollouts(id.toString(), 5).stream()
                .map(rollout -> rollout.outcome().orElse(""))
                .toList();
    }

    /** How many rollouts may run at once in the cluster. */
    static Limits atMost(int rollouts) {
        return new Limits(OptionalInt.of(rollouts), OptionalInt.empty(), false, PATIENCE);
    }

    /** The same, and one of the workloads that share an image goes first. */
    static Limits canaryAndAtMost(int rollouts) {
        return new Limits(OptionalInt.of(rollouts), OptionalInt.empty(), true, PATIENCE);
    }

    /** One of the workloads that share an image goes first. */
    static Limits canary() {
        return new Limits(OptionalInt.empty(), OptionalInt.empty(), true, PATIENCE);
    }

    /** The loop as the engine has it. */
    Loop engineLoop() {
        return loop;
    }

    /** The cluster as the engine has it. */
    Cluster engineCluster() {
        return cluster;
    }

    Engine start(Limits limits) {
        Loop engineLoop = engineLoop();
        StateLog problems = new StateLog(LoggerFactory.getLogger(EngineScene.class), engineLoop);
        Memory memory = new Memory(store, engineLoop, loop, Runnable::run, problems);
        AgentListener listener = new AgentListener() {
            @Override
            public void stateChanged(Workload workload, State before, State now) {
                toldStates.add(workload.id().name() + " " + now.words());
            }

            @Override
            public void rolloutEnded(Rollout rollout, Outcome outcome) {
                ended.add(outcome);
            }

            @Override
            public void rolloutStarted(Workload workload, Rollout rollout) {
                begun.add(rollout);
            }

            @Override
            public void moved(Workload workload, String reference, String from, String to) {
                noticed.add(workload.id().name() + " " + to);
                whenMoved.run();
            }

            @Override
            public void noticed(Workload workload, Notice notice, String words, boolean maybeTold) {
                noticed.add(workload.id().name() + " " + notice);
            }

            @Override
            public void decided(Workload workload, Decision decision, boolean maybeTold) {
                told.add(decision);
            }

            @Override
            public void stopped(Runaway what) {
                stopped.add(what);
            }

            @Override
            public void served(Served what, String namespace) {
                served.add(what + " " + namespace);
            }
        };
        Engine engine = new Engine(new Engine.Parts(
                new Context(engineLoop, loop, problems, listener, () -> acts),
                engineCluster(),
                List.of(watched("r.example"), watched("q.example")),
                Optional.empty(),
                memory,
                new Engine.Workers(task -> kubeWorkers.execute(task), registry::work),
                new Engine.Rules(Policy.DEFAULT, limits, DigestStore.Retention.DEFAULT)));
        cluster.start(id -> loop.execute(() -> engine.changed(id)));
        memory.load(engine::resume, engine::start);
        loop.settle();
        return engine;
    }

    private WatchedRegistry watched(String host) {
        return new WatchedRegistry(RegistryPrefix.parse(host), registry, INTERVAL, 4);
    }

    String acted(WorkloadId id) {
        return cluster.real(id).templateAnnotations().getOrDefault(Workload.DIGESTS, "");
    }

    static Decision decision(Engine engine, WorkloadId id) {
        return engine.all().stream()
                .filter(one -> one.workload().id().equals(id))
                .findFirst()
                .flatMap(Tracked::plan)
                .map(Plan::decision)
                .orElseThrow();
    }

    static State state(Engine engine, WorkloadId id) {
        return engine.all().stream()
                .filter(one -> one.workload().id().equals(id))
                .findFirst()
                .flatMap(engine::state)
                .orElseThrow();
    }

    static String digest(int number) {
        return "sha256:" + String.valueOf(number).repeat(64);
    }

    /** Knows the digests of tags, and which hosts are down. */
    final class FakeRegistry implements WatchedRegistry.Source {
        final Map<String, String> tags = new HashMap<>();
        final Set<String> down = new HashSet<>();
        final List<String> asked = new ArrayList<>();
        final List<String> read = new ArrayList<>();
        final List<String> configurations = new ArrayList<>();
        final Map<String, Links> contents = new HashMap<>();
        boolean closed;
        boolean noBlobs;
        boolean noManifests;
        /** By reference, the answer instead of a digest. */
        final Map<String, RegistryException> failing = new HashMap<>();
        /** By private reference, the namespaces whose pull secrets give access. */
        final Map<String, Set<String>> readers = new HashMap<>();
        /** By namespace, the references for which it has a pull secret, valid or not. */
        final Map<String, Set<String>> secrets = new HashMap<>();
        /** By namespace, what is wrong with its pull secrets. */
        final Map<String, List<String>> broken = new HashMap<>();
        /** By namespace, the answer to its credential. */
        final Map<String, RegistryException> accounts = new HashMap<>();
        /** What was asked with pull secrets: the namespace, and the reference. */
        final List<String> shown = new ArrayList<>();
        /** How many requests are allowed per minute. */
        OptionalInt budget = OptionalInt.empty();
        /** What the registry says about its limit. */
        Optional<WatchedRegistry.Allowance> limit = Optional.empty();

        private long minute;
        private int spent;

        /** Whether questions are lost, neither asked nor answered, which no thread of the real agent may do. */
        boolean lost;

        /** The next request for the budget fails with this. */
        @Nullable Error fault;

        /** A request for a namespace's own source fails with this, after a number of times. */
        @Nullable Error sourceFault;

        int sourcesBefore;

        /** How long every answer takes. */
        Duration slow = Duration.ZERO;

        boolean noThreads;
        /** The answer to anybody who sends no secret. */
        @Nullable RegistryException limitsEverybody;

        private void work(Runnable task) {
            if (noThreads) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            if (lost) {
                return;
            }
            if (slow.isZero()) {
                task.run();
            } else {
                loop.after(slow, task);
            }
        }

        private void spend() {
            long now = loop.instant().getEpochSecond() / 60;
            spent = now == minute ? spent + 1 : 1;
            minute = now;
        }

        @Override
        public Optional<WatchedRegistry.Source> of(String namespace) {
            Error thrown = sourceFault;
            if (thrown != null && sourcesBefore-- == 0) {
                sourceFault = null;
                throw thrown;
            }
            return Optional.of(new Account(namespace));
        }

        /** With the pull secrets of a namespace. */
        private final class Account implements WatchedRegistry.Source {
            private final String namespace;

            Account(String namespace) {
                this.namespace = namespace;
            }

            @Override
            public Descriptor resolve(ImageReference reference) throws RegistryException {
                shown.add(namespace + " " + reference);
                if (accounts.containsKey(namespace)) {
                    spend();
                    throw accounts.get(namespace);
                }
                if (!readers.getOrDefault(reference.toString(), Set.of()).contains(namespace)) {
                    spend();
                    throw new DeniedException(FailedRequest.of("resolve", reference.registry()), "403", null);
                }
                return answer(reference);
            }

            @Override
            public Links manifest(ImageReference image) throws RegistryException {
                return FakeRegistry.this.manifest(image);
            }

            @Override
            public boolean hasCredential(ImageReference reference) {
                return secrets.getOrDefault(namespace, Set.of()).contains(reference.toString());
            }

            @Override
            public List<String> problems(ImageReference reference) {
                return broken.getOrDefault(namespace, List.of());
            }

            @Override
            public Optional<WatchedRegistry.Allowance> allowance() {
                return Optional.empty();
            }
        }

        @Override
        public Descriptor resolve(ImageReference reference) throws RegistryException {
            if (limitsEverybody != null) {
                asked.add(reference.toString());
                throw limitsEverybody;
            }
            if (readers.containsKey(reference.toString())) {
                asked.add(reference.toString());
                spend();
                throw new UnauthorizedException(FailedRequest.of("resolve", reference.registry()), "401", null);
            }
            return answer(reference);
        }

        private Descriptor answer(ImageReference reference) throws RegistryException {
            asked.add(reference.toString());
            spend();
            if (failing.containsKey(reference.toString())) {
                throw failing.get(reference.toString());
            }
            if (closed) {
                throw new UnauthorizedException(FailedRequest.of("resolve", reference.registry()), "401", null);
            }
            if (down.contains(reference.registry())) {
                throw new UnavailableException(
                        FailedRequest.of("resolve", reference.registry()), "connection refused", null, null);
            }
            return new Descriptor(
                    "application/json", Digest.parse(tags.getOrDefault(reference.toString(), digest(9))), 100);
        }

        @Override
        public Links manifest(ImageReference image) throws RegistryException {
            read.add(image.toString());
            spend();
            if (noManifests) {
                throw new UnavailableException(FailedRequest.of("read", image.registry()), "refused", null, null);
            }
            return contents.getOrDefault(
                    image.digest().orElseThrow().toString(), new Links(List.of(), Optional.empty()));
        }

        @Override
        public Optional<ImageLabels> labels(ImageReference image, Descriptor config) throws RegistryException {
            configurations.add(config.digest().toString());
            if (noBlobs) {
                throw new UnavailableException(FailedRequest.of("read", image.registry()), "refused", null, null);
            }
            return Optional.of(new ImageLabels(Optional.of("4f2a"), Optional.empty(), Optional.empty()));
        }

        /** A manifest with a configuration. */
        void image(String digest, String config) {
            Descriptor descriptor =
                    new Descriptor("application/vnd.oci.image.config.v1+json", Digest.parse(config), 10);
            contents.put(digest, new Links(List.of(), Optional.of(descriptor)));
        }

        void index(String digest, String child) {
            contents.put(digest, new Links(List.of(Digest.parse(child)), Optional.empty()));
        }

        @Override
        public boolean hasCredential(ImageReference reference) {
            return !closed && !readers.containsKey(reference.toString());
        }

        @Override
        public Optional<WatchedRegistry.Allowance> allowance() {
            return limit;
        }

        @Override
        public Optional<WatchedRegistry.Allowance> budget() {
            Error thrown = fault;
            if (thrown != null) {
                fault = null;
                throw thrown;
            }
            long now = loop.instant().getEpochSecond() / 60;
            return budget.stream()
                    .mapToObj(most -> new WatchedRegistry.Allowance(
                            now == minute ? Math.max(0, most - spent) : most, Instant.ofEpochSecond((now + 1) * 60)))
                    .findFirst();
        }
    }
}
