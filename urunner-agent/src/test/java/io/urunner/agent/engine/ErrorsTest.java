package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentListener;
import io.urunner.agent.PushedTag;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.LoopThread;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.loop.Threads;
import io.urunner.agent.rollouts.EventWriter;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.testing.Await;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.TagDigest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Every step fails once, or a few times, with an {@link Error}: the agent recovers, and nothing stays under way. */
class ErrorsTest extends EngineScene {
    private static final Error FAULT = new NoClassDefFoundError("a library of nobody");

    /** Lets time pass as the loop's thread does: a task that throws does not end it. */
    private void advance(Duration time) {
        for (Duration passed = Duration.ZERO; passed.compareTo(time) < 0; passed = passed.plusMillis(100)) {
            try {
                loop.advance(Duration.ofMillis(100));
            } catch (Error e) {
                assertThat(e).isSameAs(FAULT);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"before the patch", "after the patch", "read", "find", "follow"})
    void aPatchIsMadeAfterOneOfItsStepsFailed(String step) {
        WorkloadId web = cluster.deployment("web", D1, APP);
        Engine engine = start();
        if (step.equals("read")) { // after a conflict
            cluster.pauseWatch();
            cluster.touch(web);
        }
        registry.tags.put(APP, D2);
        cluster.fail(step, FAULT);
        advance(INTERVAL.multipliedBy(2));
        cluster.resumeWatch();
        advance(INTERVAL.multipliedBy(2));

        assertThat(cluster.hasFailed()).isTrue();
        assertThat(acted(web)).contains(D2);
        assertThat(engine.quiet()).isTrue();
        assertThat(engine.patchesStandStill()).isZero();

        cluster.runs(web, D2);
        registry.tags.put(APP, D3);
        advance(INTERVAL.multipliedBy(3));
        assertThat(acted(web)).contains(D3);
    }

    @Test
    void aRegistryIsAskedOnTimeAfterTheStartOfAPassFailed() {
        WorkloadId web = cluster.deployment("web", D1, APP);
        start();
        for (int pass = 2; pass < 6; pass++) {
            registry.fault = FAULT;
            registry.tags.put(APP, digest(pass));
            advance(INTERVAL.multipliedBy(2).plusSeconds(5));
            assertThat(registry.fault).as("it failed").isNull();
            assertThat(acted(web)).contains(digest(pass));
            cluster.runs(web, digest(pass));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aNamespaceIsAskedForAfterItsSourceFailed(int before) {
        registry.readers.put(APP, Set.of("shop"));
        registry.secrets.put("shop", Set.of(APP));
        WorkloadId web = cluster.deployment("web", D1, APP);
        start();
        advance(INTERVAL);
        registry.sourcesBefore = before;
        registry.sourceFault = FAULT;
        advance(INTERVAL.multipliedBy(4));
        assertThat(registry.sourceFault).as("it failed").isNull();
        registry.tags.put(APP, D2);
        advance(INTERVAL.plusSeconds(5));
        assertThat(acted(web)).contains(D2);
    }

    @Test
    void aHintIsCheckedAfterThePreviousOneFailed() {
        WorkloadId web = cluster.deployment("web", D1, APP);
        Engine engine = start();
        advance(INTERVAL.plusMillis(500));
        for (int push = 2; push < 5; push++) {
            registry.fault = FAULT;
            engine.hints().pushed(List.of(new PushedTag("team/app", "latest")));
            advance(Duration.ofMillis(300));
            assertThat(registry.fault).as("it failed").isNull();
            registry.tags.put(APP, digest(push));
            engine.hints().pushed(List.of(new PushedTag("team/app", "latest")));
            advance(Duration.ofSeconds(1));
            assertThat(acted(web)).contains(digest(push));
            cluster.runs(web, digest(push));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"write", "remembered", "unfinishedRollouts", "digests", "prune"})
    void historyIsWrittenAfterTheStoreFailed(String method) throws Exception {
        WorkloadId web = cluster.deployment("web", D1, APP);
        DigestStore real = store;
        AtomicInteger faults = new AtomicInteger(3);
        store = (DigestStore) Proxy.newProxyInstance(
                DigestStore.class.getClassLoader(), new Class<?>[] {DigestStore.class}, (proxy, called, arguments) -> {
                    if (called.getName().equals(method) && faults.getAndDecrement() > 0) {
                        throw FAULT;
                    }
                    try {
                        return called.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        Engine engine = start();
        registry.tags.put(APP, D2);
        advance(INTERVAL.multipliedBy(6));
        assertThat(acted(web)).contains(D2);
        if (method.equals("prune")) {
            advance(Duration.ofMinutes(5));
        }

        assertThat(faults.get()).as("it failed").isLessThan(3);
        assertThat(real.digests(APP, 5)).extracting(TagDigest::digest).contains(D2);
        assertThat(real.rollouts(web.toString(), 5)).hasSize(1);
        assertThat(engine.quiet()).isTrue();
    }

    @Test
    void threadsThatCannotBeCreatedLeaveNothingUnderWay() throws Exception {
        List<Runnable> accepted = new ArrayList<>();
        AtomicInteger faults = new AtomicInteger(1);
        Memory memory = new Memory(
                store,
                loop,
                loop,
                task -> {
                    if (faults.getAndDecrement() > 0) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    accepted.add(task);
                },
                new StateLog(LoggerFactory.getLogger(ErrorsTest.class), loop));
        memory.seen(new DigestStore.Sighting(APP, D1, Optional.empty(), loop.instant()));
        memory.flush();
        loop.settle();
        assertThat(memory.works()).isFalse();
        memory.flush();
        accepted.forEach(Runnable::run);
        loop.settle();
        assertThat(memory.works()).isTrue();
        assertThat(memory.standsStill()).isZero();
        assertThat(store.digests(APP, 5)).hasSize(1);
    }

    @Test
    void eventsAreWrittenAfterOneFailed() throws Exception {
        WorkloadId web = cluster.deployment("web", D1, APP);
        AtomicInteger faults = new AtomicInteger(3);
        List<String> written = Collections.synchronizedList(new ArrayList<>());
        ThreadPoolExecutor workers =
                new ThreadPoolExecutor(2, 2, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Threads.named("event"));
        try {
            EventWriter events = new EventWriter(
                    (workload, type, reason, message, once) -> {
                        if (faults.getAndDecrement() > 0) {
                            throw FAULT;
                        }
                        written.add(reason);
                    },
                    cluster,
                    workers,
                    5,
                    loop,
                    new StateLog(LoggerFactory.getLogger(ErrorsTest.class), loop),
                    new AgentListener() {});
            for (int i = 0; i < 5; i++) {
                events.moved(cluster.find(web).orElseThrow(), APP, D1, D2);
            }
            Await.until("two are written", Duration.ofSeconds(10), () -> written.size() == 2);
            Await.until("nothing is under way", Duration.ofSeconds(10), () -> workers.getCompletedTaskCount() == 5);
            loop.advance(Duration.ofMinutes(10));
            assertThat(events.standsStill()).isZero();
        } finally {
            workers.shutdownNow();
        }
    }

    @Test
    void theLoopContinuesWhateverATaskThrows() throws Exception {
        List<Error> errors = List.of(
                FAULT,
                new AssertionError("x"),
                new OutOfMemoryError("x"),
                new StackOverflowError(),
                new InternalError("x"),
                new ExceptionInInitializerError("x"));
        AtomicInteger times = new AtomicInteger();
        AtomicInteger later = new AtomicInteger();
        try (LoopThread thread = new LoopThread(Threads.named("loop"), System::nanoTime)) {
            thread.start();
            thread.every(Duration.ofMillis(1), () -> {
                throw errors.get(times.getAndIncrement() % errors.size());
            });
            errors.forEach(error -> thread.execute(() -> {
                throw error;
            }));
            thread.after(Duration.ofMillis(1), later::incrementAndGet);
            Await.until("it continues", Duration.ofSeconds(10), () -> times.get() > errors.size() && later.get() == 1);
            assertThat(thread.sinceBeat()).isLessThan(Duration.ofSeconds(10));
        }
    }
}
