package io.urunner.agent.app.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.TestAgentStatus;
import io.urunner.agent.app.cli.Answer;
import io.urunner.agent.app.cli.View;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class InsightTest {
    private static Map<String, String> headers(boolean acts, String leader) {
        AgentStatus status = TestAgentStatus.at(Instant.EPOCH)
                .acts(acts)
                .election("urunner-b_2", Optional.of(leader))
                .build();
        return Insight.response(200, new Answer("x\n", 0), View.of(Map.of()), status)
                .headers();
    }

    @Test
    void anAgentThatStandsByNamesThePodThatActs() {
        assertThat(headers(false, "urunner-a_1"))
                .containsEntry(Answer.LEADER, "urunner-a")
                .containsEntry(Answer.EXIT_CODE, "0");
        assertThat(headers(true, "urunner-b_2")).doesNotContainKey(Answer.LEADER);
        assertThat(headers(false, "no\r\npod_1")).doesNotContainKey(Answer.LEADER);
    }
}
