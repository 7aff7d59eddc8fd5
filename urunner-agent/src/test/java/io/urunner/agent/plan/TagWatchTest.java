package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TagWatchTest {
    private static final Instant START = Instant.parse("2030-01-07T12:00:00Z");

    @Test
    void aDigestThatTheTagNeverHadCountsAtOnce() {
        Answer.Resolved answer = seen("a", "b");

        assertThat(answer).isEqualTo(new Answer.Resolved("b", at(1), at(1), 1, true, Optional.of(at(0))));
    }

    @Test
    void aDigestThatTheTagHadBeforeCountsWhenTwoPassesInARowSawIt() {
        assertThat(seen("a", "b", "a").counts()).isFalse();
        assertThat(seen("a", "b", "a", "a"))
                .isEqualTo(new Answer.Resolved("a", at(2), at(3), 2, true, Optional.of(at(1))));
        assertThat(seen("a", "b", "a", "b", "a").counts()).isFalse();
    }

    @Test
    void whatWasNotConfirmedDoesNotInterruptWhatStands() {
        assertThat(seen("a", "b", "a", "b"))
                .isEqualTo(new Answer.Resolved("b", at(1), at(3), 1, true, Optional.of(at(0))));
    }

    @Test
    void theHistoryKnowsWhatTheTagHadBefore() {
        TagWatch watch =
                TagWatch.of(List.of(new TagWatch.Past("b", at(5), at(9)), new TagWatch.Past("a", at(1), at(4))));

        assertThat(watch.answer()).as("until the registry was asked").isInstanceOf(Answer.NotAsked.class);
        assertThat(watch.see("b", at(10)).answer())
                .isEqualTo(new Answer.Resolved("b", at(5), at(10), 1, true, Optional.of(at(4))));
        assertThat(((Answer.Resolved) watch.see("a", at(10)).answer()).counts()).isFalse();
        assertThat(((Answer.Resolved) watch.see("c", at(10)).answer()).counts()).isTrue();
    }

    @Test
    void onlyWhatCountsBelongsIntoTheHistory() {
        TagWatch watch = TagWatch.unknown().see("a", at(0)).see("b", at(1)).see("a", at(2));

        assertThat(watch.counted()).contains(new TagWatch.Past("b", at(1), at(1)));
    }

    private static Answer.Resolved seen(String... digests) {
        TagWatch watch = TagWatch.unknown();
        for (int i = 0; i < digests.length; i++) {
            watch = watch.see(digests[i], at(i));
        }
        return (Answer.Resolved) watch.answer();
    }

    private static Instant at(int seconds) {
        return START.plusSeconds(seconds);
    }
}
