package io.urunner.agent.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentListener;
import io.urunner.agent.engine.EngineScene;
import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Blockage;
import io.urunner.agent.plan.Decision;
import io.urunner.agent.workloads.FakeCluster;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.testing.LogCapture;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class EventWriterTest {
    private final ManualLoop loop = new ManualLoop();
    private final FakeCluster cluster = new FakeCluster();

    @AutoClose
    private final LogCapture log = new LogCapture(EventWriterTest.class);

    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final List<String> written = new ArrayList<>();
    private final List<String> served = new ArrayList<>();
    private final Workload evil = workload("aaa-evil");
    private final Workload mine = workload("shop");
    private final EventWriter events = new EventWriter(
            (workload, type, reason, message, once) -> {
                if (message.contains("crash")) {
                    throw new NoClassDefFoundError("some library");
                }
                written.add(workload.id().namespace() + " " + message);
            },
            cluster,
            new Workers(),
            2,
            loop,
            new StateLog(LoggerFactory.getLogger(EventWriterTest.class), loop),
            new AgentListener() {
                @Override
                public void served(Served what, String namespace) {
                    served.add(what + " " + namespace);
                }
            });

    /** Runs tasks when the test does. */
    private final class Workers extends AbstractExecutorService {
        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }

    private Workload workload(String namespace) {
        WorkloadId id = cluster.deploymentIn(namespace, "web", EngineScene.D1, EngineScene.APP);
        return cluster.real(id);
    }

    private void write(Workload workload, String message) {
        events.noticed(workload, AgentListener.Notice.HOLD_ENDED, message, false);
    }

    private void work() {
        while (!tasks.isEmpty()) {
            try {
                tasks.remove().run();
            } catch (LinkageError e) {
                // As when a thread of a pool dies.
            }
            loop.settle();
        }
    }

    @Test
    void aHoldIsReportedByWhoeverHoldsItAndNotAgainHere() {
        events.decided(mine, new Decision.Blocked(Blockage.HOLD, "held since today by anna"), false);
        events.decided(mine, new Decision.Blocked(Blockage.PAUSED, "the Deployment is paused"), false);
        work();
        assertThat(written).containsExactly("shop paused: the Deployment is paused");
    }

    @Test
    void namespacesTakeTurnsAndEachHasALimitPerMinute() {
        for (int i = 0; i < 1_000; i++) {
            write(evil, "event " + i);
        }
        write(mine, "mine");
        work();

        assertThat(written.indexOf("shop mine"))
                .as("two were already being written")
                .isBetween(0, 2);
        assertThat(written).hasSize(EventWriter.OF_A_NAMESPACE + 1);
        assertThat(served).contains("EVENT shop").hasSize(written.size());

        loop.advance(Duration.ofMinutes(1));
        assertThat(log.messages()).containsExactly("namespace aaa-evil: 700 events left out in the last minute");
        write(evil, "another minute");
        work();
        assertThat(written).last().isEqualTo("aaa-evil another minute");
    }

    @Test
    void anEventThatBreaksItsWriterDoesNotBlockTheOthers() {
        for (int i = 0; i < 5; i++) {
            write(evil, "crash");
        }
        write(mine, "mine");
        work();

        assertThat(written).containsExactly("shop mine");
    }
}
