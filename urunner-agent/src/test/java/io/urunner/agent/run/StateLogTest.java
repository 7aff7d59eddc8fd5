package io.urunner.agent.run;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class StateLogTest {
    private final ManualLoop loop = new ManualLoop();
    private final Logger logger = (Logger) LoggerFactory.getLogger(StateLogTest.class);
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final StateLog log = new StateLog(logger, loop);

    @BeforeEach
    void listen() {
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void leave() {
        logger.detachAppender(lines);
    }

    private List<String> said() {
        return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void saysWhatChangedOnce() {
        log.problem("shop/Deployment/web", "forbidden", "may not patch");
        log.problem("shop/Deployment/web", "forbidden", "may not patch");
        log.well("shop/Deployment/web");
        log.well("shop/Deployment/web");

        assertThat(said()).containsExactly("shop/Deployment/web: may not patch", "shop/Deployment/web: well again");
    }

    @Test
    void aNamespaceThatFlapsFillsItsShareOfTheLogAndThenOneLineSaysHowMuchIsMissing() {
        for (int i = 0; i < 1_000; i++) {
            log.problem("evil/Deployment/w" + i, "odd", "is odd");
            log.well("evil/Deployment/w" + i);
            log.problem("evil/Deployment/w plans", "again " + i, "planned again");
        }
        log.problem("shop/Deployment/web", "forbidden", "may not patch");
        assertThat(said()).hasSize(StateLog.LINES + 1).contains("shop/Deployment/web: may not patch");

        lines.list.clear();
        loop.advance(Duration.ofMinutes(1));
        assertThat(said()).containsExactly("namespace evil: 2800 lines of the last minute were left out");

        log.problem("evil/Deployment/w", "odd", "is odd");
        assertThat(said()).last().isEqualTo("evil/Deployment/w: is odd");
        loop.advance(Duration.ofMinutes(5));
        assertThat(said()).hasSize(2);
    }
}
