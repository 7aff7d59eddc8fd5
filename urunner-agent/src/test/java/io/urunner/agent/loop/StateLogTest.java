package io.urunner.agent.loop;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.testing.LogCapture;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class StateLogTest {
    private final ManualLoop loop = new ManualLoop();

    @AutoClose
    private final LogCapture logged = new LogCapture(StateLogTest.class);

    private final StateLog log = new StateLog(LoggerFactory.getLogger(StateLogTest.class), loop);

    @Test
    void logsEachChangeOnce() {
        log.problem("shop/Deployment/web", "forbidden", "is not allowed to patch");
        log.problem("shop/Deployment/web", "forbidden", "is not allowed to patch");
        log.well("shop/Deployment/web");
        log.well("shop/Deployment/web");

        assertThat(logged.messages())
                .containsExactly("shop/Deployment/web: is not allowed to patch", "shop/Deployment/web: recovered");
    }

    @Test
    void aFlappingNamespaceFillsItsShareOfTheLogAndOneLineSaysHowMuchIsMissing() {
        for (int i = 0; i < 1_000; i++) {
            log.problem("evil/Deployment/w" + i, "odd", "is odd");
            log.well("evil/Deployment/w" + i);
            log.problem("evil/Deployment/w plans", "again " + i, "planned again");
        }
        log.problem("shop/Deployment/web", "forbidden", "is not allowed to patch");
        assertThat(logged.messages())
                .hasSize(StateLog.LINES + 1)
                .contains("shop/Deployment/web: is not allowed to patch");

        logged.clear();
        loop.advance(Duration.ofMinutes(1));
        assertThat(logged.messages()).containsExactly("namespace evil: 2800 lines left out in the last minute");

        log.problem("evil/Deployment/w", "odd", "is odd");
        assertThat(logged.messages()).last().isEqualTo("evil/Deployment/w: is odd");
        loop.advance(Duration.ofMinutes(5));
        assertThat(logged.messages()).hasSize(2);
    }

    @Test
    void aFloodAboutOneNamespacesImagesHidesNoLineOfOthersOrOfTheAgent() {
        List<String> evil = List.of("evil");
        for (int i = 0; i < 5_000; i++) {
            log.problem(evil, "image r.example/x:" + i, "not found", "is not there");
            log.problem("registry r" + i + ".example with the pull secrets of namespace evil", "rejected", "is wrong");
            log.problem("pull secrets in namespace evil", "forbidden " + i, "is too large");
        }
        assertThat(logged.messages()).hasSize(StateLog.LINES);
        logged.clear();

        log.problem(List.of("shop"), "image r.example/shop:1", "not found", "is not there");
        log.problem("registry r.example with the pull secrets of namespace shop", "rejected", "is wrong");
        log.problem("pull secrets in namespace shop", "forbidden", "is not allowed to read");
        log.problem("shop/Deployment/web", "forbidden", "is not allowed to patch");
        log.problem("registry r.example", "unreachable", "does not answer");
        log.problem("history", "not written", "the disk is full");
        log.problem("watch of pods", "forbidden", "is not allowed to watch");
        log.well(List.of("shop"), "image r.example/shop:1");
        log.well("registry r.example with the pull secrets of namespace shop");
        log.well("registry r.example");
        assertThat(logged.messages())
                .containsExactly(
                        "image r.example/shop:1: is not there",
                        "registry r.example with the pull secrets of namespace shop: is wrong",
                        "pull secrets in namespace shop: is not allowed to read",
                        "shop/Deployment/web: is not allowed to patch",
                        "registry r.example: does not answer",
                        "history: the disk is full",
                        "watch of pods: is not allowed to watch",
                        "image r.example/shop:1: recovered",
                        "registry r.example with the pull secrets of namespace shop: recovered",
                        "registry r.example: recovered");
        assertThat(log.mayTell("shop")).isTrue();
        assertThat(log.mayTell("evil")).isFalse();

        logged.clear();
        loop.advance(Duration.ofMinutes(1));
        assertThat(logged.messages()).containsExactly("namespace evil: 14801 lines left out in the last minute");
    }

    /** Including a namespace that uses another's image in a workload of its own. */
    @Test
    void anImageOfSeveralNamespacesIsLoggedWhileOneOfThemHasLinesLeft() {
        for (int i = 0; i < 1_000; i++) {
            log.problem(List.of("a-evil"), "image r.example/x:" + i, "not found", "is not there");
            log.problem("z-evil/Deployment/w" + i, "odd", "is odd");
        }
        logged.clear();
        List<String> users = List.of("a-evil", "shop", "z-evil");
        log.problem(users, "image r.example/shop:1", "not found", "is not there");
        log.well(users, "image r.example/shop:1");
        assertThat(logged.messages())
                .containsExactly("image r.example/shop:1: is not there", "image r.example/shop:1: recovered");
    }

    /** Subjects without a namespace do not share one limit: a flapping registry hides no other kind of line. */
    @Test
    void subjectsWithoutANamespaceHaveOneSharePerKind() {
        for (int i = 0; i < 1_000; i++) {
            log.problem("registry r" + i + ".example", "unreachable", "does not answer");
        }
        log.problem("events", "not written", "is not allowed to write");
        assertThat(logged.messages()).hasSize(StateLog.LINES + 1).contains("events: is not allowed to write");
        loop.advance(Duration.ofMinutes(1));
        assertThat(logged.messages()).last().isEqualTo("registry: 800 lines left out in the last minute");
    }
}
