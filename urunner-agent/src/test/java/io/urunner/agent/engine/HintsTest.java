package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.PushedTag;
import io.urunner.agent.tags.Hints;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Hints that a tag was pushed. */
class HintsTest extends EngineScene {
    @Test
    void aHintIsCheckedAtOnceAndABurstCausesOneMoreCheck() {
        cluster.deployment("a", D1, APP);
        cluster.deployment("b", D1, OTHER);
        Engine engine = start();
        Hints hints = engine.hints();
        registry.asked.clear();
        PushedTag app = new PushedTag("team/app", "latest");
        assertThat(hints.pushed(List.of(app, app, new PushedTag("team/app", "dev"), new PushedTag("x", "latest"))))
                .isEqualTo(1);
        loop.advance(Duration.ofMillis(100));
        assertThat(registry.asked).containsExactly(APP);
        for (int i = 0; i < 100; i++) {
            assertThat(hints.pushed(List.of(app))).isEqualTo(1);
        }
        loop.advance(Duration.ofMillis(200));
        assertThat(registry.asked).containsExactly(APP);
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMillis(50));
        assertThat(registry.asked).containsExactly(APP, APP);
        assertThat(cluster.patches).hasSize(1);
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).containsExactly(APP, APP);
    }

    @Test
    void endlessHintsDoNotPreventChecks() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.asked.clear();
        for (int i = 0; i < 200; i++) {
            hints.pushed(List.of(new PushedTag("team/app", "latest")));
            loop.advance(Duration.ofMillis(10));
        }
        assertThat(registry.asked).hasSizeBetween(7, 9);
    }

    @Test
    void aHintIsVerifiedAndPatchesNothingThatHasNotMoved() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofSeconds(3));
        assertThat(cluster.patches).isEmpty();
    }

    @Test
    void aHintThatArrivesBeforeTheNewDigestIsFollowedUp() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.asked.clear();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofMillis(200));
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofMillis(200));
        assertThat(cluster.patches).hasSize(1);
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).as("it moved: that is enough").hasSize(2);
    }

    @Test
    void aHintForARegistryInBackOffWaitsUntilThatEnds() {
        cluster.deployment("a", D1, APP);
        Hints hints = start().hints();
        registry.down.add("r.example");
        loop.advance(INTERVAL);
        registry.asked.clear();
        hints.pushed(List.of(new PushedTag("team/app", "latest")));
        loop.advance(Duration.ofSeconds(5));
        assertThat(registry.asked).as("it backs off for 20 s").isEmpty();
        registry.down.clear();
        registry.tags.put(APP, D2);
        loop.advance(Duration.ofSeconds(15));
        assertThat(cluster.patches).hasSize(1);
    }
}
