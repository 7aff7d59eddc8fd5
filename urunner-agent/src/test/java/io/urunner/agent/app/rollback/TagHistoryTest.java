package io.urunner.agent.app.rollback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.kube.Container;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.Workload;
import io.urunner.registry.ImageReference;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TagDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
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
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            false);

    @Test
    void stepsCountEachDigestOnceAtItsLastStay() {
        TagHistory history = stays("a", "b", "a", "c");

        assertThat(history.find(new Goal.Back(1), "c")).contains("a");
        assertThat(history.find(new Goal.Back(2), "c")).contains("b");
        assertThat(history.find(new Goal.Back(3), "c")).isEmpty();
        assertThat(history.find(new Goal.Back(1), "unknown")).isEmpty();
    }

    @Test
    void stepsSkipDigestsThatFailedHereAccordingToTheStore() {
        TagHistory history = stays("a", "b", "c", "d", "e")
                .with(
                        APP,
                        List.of(
                                rollout("c", "superseded"),
                                rollout("d", "failed"),
                                rollout("b", "succeeded"),
                                rollout("c", "failed"),
                                rollout("b", "failed")));

        assertThat(history.failures()).containsOnlyKeys("c", "d");
        assertThat(history.failures().get("d")).hasToString("failed here at 2030-01-07T12:00:09Z (it crashed)");
        assertThat(history.find(new Goal.Back(1), "e")).contains("b");
        assertThat(history.find(new Goal.Back(2), "e")).contains("a");
        assertThat(history.find(new Goal.Back(1), "d")).contains("b");
        assertThat(history.find(new Goal.Exactly("d"), "e")).contains("d");
        assertThat(history.passedOver("e", "b"))
                .containsExactly(
                        "d, which failed here at 2030-01-07T12:00:09Z", "c, which failed here at 2030-01-07T12:00:09Z");
        assertThat(history.passedOver("b", "a")).isEmpty();
    }

    @Test
    void failuresAreAlsoKnownFromTheTemplatesAndTheWorkload() {
        TagHistory history = TagHistory.of(List.of())
                .with(
                        List.of(
                                template(1, "a", "\"acted\":\"a\",\"failed\":\"a\""),
                                template(2, "b", "\"acted\":\"b\",\"failed\":\"b\",\"failure\":\"it crashed\""),
                                // rolled back from d, which failed, and later to a, which then worked
                                template(3, "c", "\"acted\":\"c\",\"failed\":\"d\""),
                                template(4, "a", "\"acted\":\"a\"")),
                        APP);
        assertThat(history.failures()).containsOnlyKeys("b", "d");
        assertThat(history.failures().get("b")).hasToString("failed here (it crashed)");

        Followed failed = new Followed(
                APP.container(),
                REF,
                APP.reference(),
                Optional.of("a"),
                Optional.empty(),
                Optional.of("a"),
                Optional.of("now it does"),
                false);
        // The workload's own annotations take precedence.
        assertThat(history.with(failed, List.of(rollout("a", "succeeded"))).failures())
                .containsOnlyKeys("a", "b", "d");
    }

    @Test
    void aTimeFindsTheDigestThatTheTagHadThen() {
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
    void withoutAStoreTheHistoryComesFromTheTemplates() {
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
    void aReplacedDigestIsOlderThanItsReplacementWhateverTheClocksSay() {
        TagHistory history = TagHistory.of(List.of(
                        new TagDigest(REF, "b", Optional.empty(), NOON.minusSeconds(9), NOON, Optional.empty())))
                .with(List.of(template(2, "b", "\"acted\":\"b\",\"replaced\":[\"a\"]")), APP);

        assertThat(history.entries()).extracting(TagHistory.Entry::digest).containsExactly("b", "a");
    }

    @Test
    void aRollbacksTemplateIsNotAMoveOfTheTag() {
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
    void withoutOtherInformationTheRunningDigestIsThePreviousOne() {
        TagHistory history = TagHistory.of(List.of()).withNow("b", NOON).withRunning(Set.of("a"), NOON);

        assertThat(history.find(new Goal.Back(1), "b")).contains("a");
    }

    @Test
    void goalsAreParsedInTheirUsualSpellings() {
        String digest = "sha256:" + "a".repeat(64);
        assertThat(goal("-2")).isEqualTo(new Goal.Back(2));
        assertThat(goal(digest)).isEqualTo(new Goal.Exactly(digest));
        assertThat(goal("A".repeat(64))).isEqualTo(new Goal.Exactly(digest));
        for (String beginning : List.of("0123456789ab", "sha256:0123456789ab", "0123456789AB")) {
            assertThat(goal(beginning)).as(beginning).isEqualTo(new Goal.Beginning("sha256:0123456789ab"));
        }
        for (String wrong : List.of("-0", "2", "sha256:abc", "yesterday", "2030-13-07", "25:00", "")) {
            assertThatThrownBy(() -> goal(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
        for (String future : List.of("2030-01-07T12:00:01Z", "2030-01-07 14:01", "2030-01-08")) {
            assertThatThrownBy(() -> goal(future)).as(future).hasMessage("'" + future + "' is in the future");
        }
    }

    @Test
    void aBeginningNamesTheOnlyDigestInTheHistoryThatStartsWithIt() throws Exception {
        TagHistory history = stays("sha256:0123aa", "sha256:0123bb", "sha256:0456cc");

        assertThat(history.whole(new Goal.Beginning("sha256:0456"))).isEqualTo(new Goal.Exactly("sha256:0456cc"));
        assertThat(history.find(history.whole(new Goal.Beginning("sha256:0789")), "x"))
                .isEmpty();
        assertThatThrownBy(() -> history.whole(new Goal.Beginning("sha256:0123")))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("sha256:0123aa, sha256:0123bb");
    }

    @Test
    void aTimeWithoutAZoneIsLocal() {
        assertThat(goal("2030-01-07T13:00:00+01:00")).isEqualTo(new Goal.At(NOON));
        assertThat(goal("2030-01-07T12:00:00Z")).isEqualTo(new Goal.At(NOON));
        for (String here : List.of("2030-01-07 14:00", "2030-01-07T14:00", "2030-01-07 14:00:00", "14:00")) {
            assertThat(goal(here)).as(here).isEqualTo(new Goal.At(NOON));
            assertThat(Goal.lacksZone(here)).as(here).isTrue();
        }
        // A time of day that is still to come today means yesterday.
        assertThat(goal("14:01")).isEqualTo(new Goal.At(NOON.plusSeconds(60).minus(Duration.ofDays(1))));
        assertThat(goal("2030-01-07")).isEqualTo(new Goal.At(Instant.parse("2030-01-06T22:00:00Z")));
        assertThat(Goal.lacksZone("2030-01-07T12:00:00Z")).isFalse();
        assertThat(Goal.lacksZone("012345678901")).isFalse();
    }

    /** At 14:00 in a zone two hours east of Greenwich. */
    private static Goal goal(String text) {
        return Goal.parse(text, NOON.atZone(ZoneOffset.ofHours(2)));
    }

    @Test
    void aTimeInWholeSecondsMatchesDigestsThatBeganInThatSecond() {
        Instant shown = NOON.plusSeconds(60);
        TagHistory history = TagHistory.of(List.of()).withNow("a", NOON).withNow("b", shown.plusMillis(700));

        assertThat(history.find(new Goal.At(shown), "b")).contains("b");
        assertThat(history.find(new Goal.At(shown.minusSeconds(1)), "b")).contains("a");
        assertThat(history.find(new Goal.At(shown.plusMillis(1)), "b")).contains("a");
    }

    private static RolloutRecord rollout(String digest, String outcome) {
        return new RolloutRecord(
                "id",
                "shop/Deployment/web",
                "why",
                List.of(new Change("app", REF, Optional.empty(), digest)),
                NOON,
                Optional.of(NOON.plusSeconds(9)),
                Optional.of(outcome),
                Optional.of("it crashed"));
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

    /** Stays of a minute each, oldest first. */
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
