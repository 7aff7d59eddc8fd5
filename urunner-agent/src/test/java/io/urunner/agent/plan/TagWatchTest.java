package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TagWatchTest {
    private static final Digest A = digest('a');
    private static final Digest B = digest('b');
    private static final Digest C = digest('c');
    private static final Instant START = Instant.parse("2030-01-07T12:00:00Z");

    @Test
    void aDigestThatTheTagNeverHadCountsAtOnce() {
        Answer.Resolved answer = seen(A, B);

        assertThat(answer).isEqualTo(new Answer.Resolved(B, at(1), at(1), 1, true, Optional.of(at(0))));
    }

    @Test
    void aDigestThatTheTagHadBeforeCountsOnceTwoPassesInARowHaveSeenIt() {
        assertThat(seen(A, B, A).counts()).isFalse();
        assertThat(seen(A, B, A, A)).isEqualTo(new Answer.Resolved(A, at(2), at(3), 2, true, Optional.of(at(1))));
        assertThat(seen(A, B, A, B, A).counts()).isFalse();
    }

    @Test
    void anUnconfirmedDigestDoesNotInterruptTheCurrentOne() {
        assertThat(seen(A, B, A, B)).isEqualTo(new Answer.Resolved(B, at(1), at(3), 1, true, Optional.of(at(0))));
    }

    @Test
    void theHistoryKnowsWhatTheTagHadBefore() {
        TagWatch watch =
                TagWatch.of(List.of(new TagWatch.Sight(B, at(5), at(9), 0), new TagWatch.Sight(A, at(1), at(4), 0)));

        assertThat(watch.answer()).as("until the registry was asked").isInstanceOf(Answer.NotAsked.class);
        assertThat(watch.see(B, at(10)).answer())
                .isEqualTo(new Answer.Resolved(B, at(5), at(10), 1, true, Optional.of(at(4))));
        assertThat(((Answer.Resolved) watch.see(A, at(10)).answer()).counts()).isFalse();
        assertThat(((Answer.Resolved) watch.see(C, at(10)).answer()).counts()).isTrue();
    }

    @Test
    void onlyDigestsThatCountBelongInTheHistory() {
        TagWatch watch = TagWatch.unknown().see(A, at(0)).see(B, at(1)).see(A, at(2));

        assertThat(watch.counted()).contains(new TagWatch.Sight(B, at(1), at(1), 1));
    }

    private static Answer.Resolved seen(Digest... digests) {
        TagWatch watch = TagWatch.unknown();
        for (int i = 0; i < digests.length; i++) {
            watch = watch.see(digests[i], at(i));
        }
        return (Answer.Resolved) watch.answer();
    }

    private static Digest digest(char digit) {
        return Digest.parse(Given.digest(digit));
    }

    private static Instant at(int seconds) {
        return START.plusSeconds(seconds);
    }
}
