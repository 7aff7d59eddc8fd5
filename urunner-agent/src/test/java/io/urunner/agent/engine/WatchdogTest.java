package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.urunner.agent.loop.Progress;
import io.urunner.kube.KubeException;
import io.urunner.kube.WorkloadId;
import io.urunner.registry.testing.LogCapture;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the watchdog reports for queues that are stuck, and for those that only wait. */
class WatchdogTest extends EngineScene {
    private final Watchdog watchdog = new Watchdog(loop::nanos);

    @AutoClose
    private final LogCapture log = new LogCapture(Watchdog.class);

    private void watch(Engine engine) {
        loop.every(
                Duration.ofMillis(500),
                () -> watchdog.look(
                        engine.registries().status(), engine.registries().requestsStandStill(), loop.instant()));
    }

    private List<String> errors() {
        return log.messages(Level.ERROR);
    }

    @Test
    void aRegistryThatNeverAnswersIsNamedAndEventuallyFailsLiveness() {
        cluster.deployment("web", D1, APP);
        Engine engine = start();
        watch(engine);
        loop.advance(Duration.ofMinutes(1));
        assertThat(watchdog.stuck()).containsEntry("registry r.example", Duration.ZERO);

        registry.lost = true;
        loop.advance(Duration.ofMinutes(3));
        assertThat(watchdog.stuck().get("registry r.example")).isPositive();
        assertThat(watchdog.stuck()).containsEntry("registry q.example", Duration.ZERO);
        assertThat(watchdog.hopeless()).isEmpty();
        assertThat(errors()).singleElement().asString().startsWith("registry r.example: is stuck");

        loop.advance(Duration.ofMinutes(2));
        assertThat(watchdog.hopeless()).startsWith("registry r.example: has been stuck for ");
        assertThat(errors()).hasSize(1);
    }

    @Test
    void aRegistryWhoseManifestsAreNeverReadIsStuckAlthoughItsTagsAreAsked() {
        cluster.deployment("web", D1, APP);
        Engine engine = start();
        Progress requests = new Progress(loop::nanos);
        requests.begun();
        loop.every(
                Duration.ofMillis(500),
                () -> watchdog.look(
                        engine.registries().status(), Map.of("r.example", requests.standsStill()), loop.instant()));
        loop.advance(Duration.ofMinutes(3));
        assertThat(errors()).singleElement().asString().startsWith("registry r.example: is stuck");
        loop.advance(Duration.ofMinutes(2));
        assertThat(watchdog.hopeless()).startsWith("registry r.example: has been stuck for ");
        requests.ended();
        loop.advance(Duration.ofSeconds(1));
        assertThat(watchdog.hopeless()).isEmpty();
    }

    @Test
    void aRegistryWhosePassDoesNotStartIsStuck() {
        Engine engine = start();
        watch(engine);
        loop.advance(Duration.ofMinutes(1));
        engine.registries().stop(); // as if its timer was lost
        loop.advance(Duration.ofMinutes(3));
        assertThat(errors()).hasSize(2);
        engine.registries().start();
        loop.advance(Duration.ofSeconds(1));
        assertThat(watchdog.stuck().values()).containsOnly(Duration.ZERO);
        assertThat(log.messages()).last().asString().endsWith(": recovered");
    }

    @Test
    void anAgentThatStandsByOrARegistryThatIsDownSlowOrLimitedIsNotStuck() {
        WorkloadId web = cluster.deployment("web", D1, APP);
        acts = false;
        registry.down.add("r.example");
        Engine engine = start();
        watch(engine);
        loop.advance(Duration.ofHours(1));
        registry.down.clear();
        registry.slow = Duration.ofSeconds(30);
        loop.advance(Duration.ofHours(1));
        registry.down.add("q.example");
        loop.advance(Duration.ofHours(1));
        registry.down.clear();
        registry.budget = OptionalInt.of(0);
        loop.advance(Duration.ofHours(1));
        acts = true;
        registry.budget = OptionalInt.empty();
        cluster.refuse(new KubeException("away", KubeException.NO_ANSWER));
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofHours(1));

        assertThat(cluster.refused).isPositive();
        assertThat(acted(web)).doesNotContain(D2);
        assertThat(errors()).isEmpty();
        assertThat(watchdog.hopeless()).isEmpty();
    }

    @Test
    void aQueueIsStuckWhileThereIsWorkAndNothingEnds() {
        Progress progress = new Progress(loop::nanos);
        watchdog.watch("history", Duration.ofMinutes(1), progress::standsStill);
        loop.every(Duration.ofSeconds(1), () -> watchdog.look(List.of(), Map.of(), loop.instant()));
        loop.advance(Duration.ofHours(1));
        assertThat(watchdog.stuck()).containsEntry("history", Duration.ZERO);
        for (int i = 0; i < 100; i++) { // more arrives than is done
            progress.begun();
            progress.begun();
            progress.ended();
            loop.advance(Duration.ofSeconds(50));
        }
        assertThat(errors()).isEmpty();
        loop.advance(Duration.ofSeconds(50));
        assertThat(watchdog.stuck().get("history")).isBetween(Duration.ofSeconds(38), Duration.ofSeconds(41));
        assertThat(watchdog.hopeless()).isEmpty();
        loop.advance(Duration.ofSeconds(50));
        assertThat(watchdog.hopeless()).startsWith("history: has been stuck for ");
        progress.ended();
        loop.advance(Duration.ofSeconds(1));
        assertThat(watchdog.hopeless()).isEmpty();
    }
}
