package io.urunner.agent.rollback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.kube.Container;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TagHistoryTest {
    private static final Instant NOON = Instant.parse("2030-01-07T12:00:00Z");
    private static final String REF = "registry.example/team/app:latest";
    private static final Followed APP = new Followed(
            new Container("app", REF, "Always", false),
            REF,
            ImageReference.parse(REF),
            Optional.empty(),
            Optional.empty());

    @Test
    void stepsCountEachDigestOnceAtItsLastStay() {
        TagHistory history = stays("a", "b", "a", "c");

        assertThat(history.find(new Goal.Back(1), "c")).contains("a");
        assertThat(history.find(new Goal.Back(2), "c")).contains("b");
        assertThat(history.find(new Goal.Back(3), "c")).isEmpty();
        assertThat(history.find(new Goal.Back(1), "unknown")).isEmpty();
    }

    @Test
    void aTimeFindsWhatTheTagHadThen() {
        TagHistory history = stays("a", "b", "c");

        assertThat(history.find(new Goal.At(NOON.plusSeconds(90)), "c")).contains("b");
        assertThat(history.find(new Goal.At(NOON), "c")).contains("a");
        assertThat(history.find(new Goal.At(NOON.minusSeconds(1)), "c")).isEmpty();
    }

    @Test
    void aDigestThatTheStoreHasNotSeenYetIsTheNewest() {
        TagHistory history = stays("a", "b").withNow("c", NOON.plusSeconds(600));

        assertThat(history.find(new Goal.Back(1), "c")).contains("b");
    }

    @Test
    void withoutAStoreTheTemplatesTell() {
        TagHistory history = TagHistory.of(List.of())
                .with(
                        List.of(
                                template(1, "", ""),
                                template(2, "b", "\"acted\":\"b\",\"replaced\":[\"a\"]"),
                                // in the same second
                                template(3, "c", "\"acted\":\"c\",\"replaced\":[\"b\"]")),
                        APP);

        assertThat(history.entries()).extracting(TagHistory.Entry::digest).containsExactly("c", "b", "a");
    }

    @Test
    void whatWasReplacedIsOlderThanWhatReplacedItWhateverTheClocksSay() {
        TagHistory history = TagHistory.of(List.of(
                        new TagDigest(REF, "b", Optional.empty(), NOON.minusSeconds(9), NOON, Optional.empty())))
                .with(List.of(template(2, "b", "\"acted\":\"b\",\"replaced\":[\"a\"]")), APP);

        assertThat(history.entries()).extracting(TagHistory.Entry::digest).containsExactly("b", "a");
    }

    @Test
    void aRollbacksTemplateIsNoMoveOfTheTag() {
        TagHistory history = TagHistory.of(List.of())
                .with(
                        List.of(
                                template(1, "b", "\"acted\":\"b\",\"replaced\":[\"a\"]"),
                                template(
                                        2,
                                        "a",
                                        "\"acted\":\"a\",\"replaced\":[\"b\"],\"rejected\":\"b\",\"originalImage\":\"x\"")),
                        APP);

        assertThat(history.entries()).extracting(TagHistory.Entry::digest).containsExactly("b", "a");
    }

    @Test
    void whereNothingElseIsKnownWhatRunsIsTheDigestBefore() {
        TagHistory history = TagHistory.of(List.of()).withNow("b", NOON).withRunning(Set.of("a"), NOON);

        assertThat(history.find(new Goal.Back(1), "b")).contains("a");
    }

    @Test
    void goalsAreReadAsPeopleWriteThem() {
        String digest = "sha256:" + "a".repeat(64);
        assertThat(Goal.parse("-2")).isEqualTo(new Goal.Back(2));
        assertThat(Goal.parse(digest)).isEqualTo(new Goal.Exactly(digest));
        assertThat(Goal.parse("2030-01-07T13:00:00+01:00")).isEqualTo(new Goal.At(NOON));
        for (String wrong : List.of("-0", "2", "sha256:abc", "yesterday", "2030-01-07")) {
            assertThatThrownBy(() -> Goal.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static PastTemplate template(long revision, String acted, String state) {
        return new PastTemplate(
                "r" + revision,
                revision,
                NOON,
                state.isEmpty()
                        ? Map.of()
                        : Map.of(
                                Workload.STATE,
                                "{\"containers\":{\"app\":{\"reference\":\"" + REF + "\"," + state + "}}}"),
                acted.isEmpty() ? Map.of() : Map.of(Workload.DIGESTS, "{\"app\":\"" + REF + "@" + acted + "\"}"));
    }

    /** Stays of a minute each, the oldest first. */
    private static TagHistory stays(String... digests) {
        return TagHistory.of(Stream.iterate(0, i -> i < digests.length, i -> i + 1)
                .map(i -> new TagDigest(
                        REF,
                        digests[i],
                        Optional.empty(),
                        NOON.plusSeconds(60L * i),
                        NOON.plusSeconds(60L * i + 59),
                        Optional.empty()))
                .toList());
    }
}
