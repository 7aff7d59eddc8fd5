package io.urunner.store;

import static io.urunner.store.Batches.A;
import static io.urunner.store.Batches.B;
import static io.urunner.store.Batches.C;
import static io.urunner.store.Batches.INDEX;
import static io.urunner.store.Batches.NOON;
import static io.urunner.store.Batches.TRACKED;
import static io.urunner.store.Batches.WEB;
import static io.urunner.store.Batches.WORKLOAD;
import static io.urunner.store.Batches.day;
import static io.urunner.store.Batches.digest;
import static io.urunner.store.Batches.ended;
import static io.urunner.store.Batches.forget;
import static io.urunner.store.Batches.labels;
import static io.urunner.store.Batches.minute;
import static io.urunner.store.Batches.remember;
import static io.urunner.store.Batches.requested;
import static io.urunner.store.Batches.rollouts;
import static io.urunner.store.Batches.seen;
import static io.urunner.store.Batches.sightings;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import io.urunner.store.DigestStore.Batch;
import io.urunner.store.DigestStore.Change;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.Retention;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import io.urunner.store.DigestStore.TrackedContainer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The behaviour of every store, on any database. */
abstract class DigestStoreContract {
    private final List<DigestStore> opened = new ArrayList<>();
    DigestStore store;

    /** Another store on the same database. */
    abstract DigestStore open(String cluster) throws Exception;

    final DigestStore another(String cluster) throws Exception {
        DigestStore another = open(cluster);
        opened.add(another);
        return another;
    }

    @BeforeEach
    void openStore() throws Exception {
        store = another("blue");
    }

    @AfterEach
    void closeStores() {
        opened.forEach(DigestStore::close);
    }

    private static Optional<String> digestOf(Optional<TagDigest> stay) {
        return stay.map(TagDigest::digest);
    }

    @Test
    void anEmptyDatabaseHasNoHistory() throws Exception {
        assertThat(store.references()).isEmpty();
        assertThat(store.remembered()).isEmpty();
        assertThat(store.digests(WEB, 10)).isEmpty();
        assertThat(store.digestAt(WEB, NOON)).isEmpty();
        assertThat(store.previousDigest(WEB, 1)).isEmpty();
        assertThat(store.rollouts(WORKLOAD, 10)).isEmpty();
        assertThat(store.rolloutsTo(WEB, A)).isEmpty();
        assertThat(store.unfinishedRollouts()).isEmpty();
        assertThat(store.rolloutsSince(NOON, 10)).isEmpty();
        assertThat(store.prune(Retention.DEFAULT, Set.of(), NOON)).isZero();
    }

    @Test
    void aTagThatDoesNotMoveExtendsItsStay() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.write(sightings(seen(WEB, A, minute(1))));
        store.write(sightings(seen(WEB, A, minute(2))));

        assertThat(store.digests(WEB, 10))
                .containsExactly(new TagDigest(WEB, A, Optional.of(INDEX), minute(0), minute(2), Optional.empty()));
        assertThat(store.references()).containsExactly(WEB);
    }

    @Test
    void aTagThatMovesStartsANewStayAndTheNewestComesFirst() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.write(sightings(seen(WEB, A, minute(1))));
        store.write(sightings(seen(WEB, B, minute(2))));
        store.write(sightings(seen(WEB, C, minute(3))));

        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(C, B, A);
        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::lastSeen)
                .containsExactly(minute(3), minute(2), minute(1));
        assertThat(store.digests(WEB, 2)).extracting(TagDigest::digest).containsExactly(C, B);
    }

    @Test
    void aDigestThatComesBackHasASecondStay() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.write(sightings(seen(WEB, B, minute(1))));
        store.write(sightings(seen(WEB, A, minute(2))));

        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(A, B, A);
        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::firstSeen)
                .containsExactly(minute(2), minute(1), minute(0));
    }

    @Test
    void theSameBatchAgainChangesNothing() throws Exception {
        RolloutRecord rollout = requested("r1", minute(2), B);
        Batch first = sightings(seen(WEB, A, minute(0)));
        Batch second = new Batch(
                List.of(seen(WEB, B, minute(2)), seen("other:1", A, minute(2))),
                Map.of(new Image(WEB, B), new ImageLabels(Optional.of("abc"), Optional.of("1.2"), Optional.of(NOON))),
                Map.of(TRACKED, B),
                Set.of(),
                List.of(rollout));
        store.write(first);
        store.write(second);
        List<TagDigest> stays = store.digests(WEB, 10);

        store.write(second);
        store.write(first);
        store.write(second);

        assertThat(store.digests(WEB, 10)).isEqualTo(stays).hasSize(2);
        assertThat(store.digests("other:1", 10)).hasSize(1);
        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(rollout);
        assertThat(store.remembered()).containsExactly(Map.entry(TRACKED, B));
    }

    @Test
    void anOlderSightingDoesNotRewriteTheHistory() throws Exception {
        store.write(sightings(seen(WEB, A, minute(5))));
        store.write(sightings(seen(WEB, B, minute(4))));
        store.write(sightings(seen(WEB, A, minute(3))));

        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::digest, TagDigest::lastSeen)
                .containsExactly(tuple(A, minute(5)));
    }

    @Test
    void sightingsOfAReferenceInOneBatchAreAppliedInOrderOfTime() throws Exception {
        store.write(sightings(
                seen(WEB, C, minute(3)),
                seen(WEB, A, minute(1)),
                seen("other:1", A, minute(1)),
                seen(WEB, B, minute(2))));

        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(C, B, A);
        assertThat(store.digests("other:1", 10)).hasSize(1);
    }

    @Test
    void aDigestThatLeavesAndComesBackWithinOneBatchHasTwoStays() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        Batch meanwhile = sightings(
                seen(WEB, A, minute(1)), seen(WEB, B, minute(2)), seen(WEB, B, minute(3)), seen(WEB, A, minute(4)));
        store.write(meanwhile);
        store.write(meanwhile);

        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::digest, TagDigest::firstSeen, TagDigest::lastSeen)
                .containsExactly(
                        tuple(A, minute(4), minute(4)), tuple(B, minute(2), minute(3)), tuple(A, minute(0), minute(1)));
    }

    @Test
    void aBatchMayHaveManyReferences() throws Exception {
        int count = 21_000;
        store.write(manyReferences(count, 0, NOON));
        store.write(manyReferences(count, 0, minute(1)));
        store.write(manyReferences(count, 1, minute(2)));

        assertThat(store.references()).hasSize(count);
        for (int i : List.of(0, 19_999, 20_000, count - 1)) {
            assertThat(store.digests("many/" + i, 10))
                    .extracting(TagDigest::digest, TagDigest::firstSeen, TagDigest::lastSeen)
                    .containsExactly(tuple(digest(i + 1), minute(2), minute(2)), tuple(digest(i), NOON, minute(1)));
        }
    }

    private static Batch manyReferences(int count, int shift, Instant when) {
        List<Sighting> sightings = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sightings.add(seen("many/" + i, digest(i + shift), when));
        }
        return new Batch(sightings, Map.of(), Map.of(), Set.of(), List.of());
    }

    @Test
    void aMediaTypeThatIsLearnedLaterIsAdded() throws Exception {
        store.write(sightings(new Sighting(WEB, A, Optional.empty(), minute(0))));
        assertThat(store.digests(WEB, 1).get(0).mediaType()).isEmpty();

        store.write(sightings(seen(WEB, A, minute(1))));
        store.write(sightings(new Sighting(WEB, A, Optional.empty(), minute(2))));

        assertThat(store.digests(WEB, 10))
                .containsExactly(new TagDigest(WEB, A, Optional.of(INDEX), minute(0), minute(2), Optional.empty()));
    }

    @Test
    void labelsBelongToADigestOfAReferenceAndArePrunedWithIt() throws Exception {
        ImageLabels full = new ImageLabels(Optional.of("abc"), Optional.of("1.2"), Optional.of(NOON));
        ImageLabels none = new ImageLabels(Optional.empty(), Optional.empty(), Optional.empty());
        store.write(labels(WEB, A, full));
        store.write(labels(WEB, B, none));
        store.write(sightings(seen(WEB, A, minute(0)), seen("other:1", A, minute(0))));
        store.write(sightings(seen(WEB, B, minute(1))));
        store.write(sightings(seen(WEB, C, minute(2))));

        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::labels)
                .containsExactly(Optional.empty(), Optional.of(none), Optional.of(full));
        assertThat(store.digests("other:1", 10)).extracting(TagDigest::labels).containsExactly(Optional.empty());

        store.prune(new Retention(2, 180), Set.of(), minute(2));
        store.write(sightings(seen(WEB, A, minute(3))));
        store.write(labels("other:1", A, none));
        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::labels)
                .containsExactly(Optional.empty(), Optional.empty(), Optional.of(none));
        assertThat(store.digests("other:1", 10)).extracting(TagDigest::labels).containsExactly(Optional.of(none));
    }

    @Test
    void theDigestAtATimeIsTheOneLastSeenUntilThen() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        store.write(sightings(seen(WEB, A, minute(10))));
        store.write(sightings(seen(WEB, B, minute(20))));

        assertThat(store.digestAt(WEB, minute(-1))).isEmpty();
        assertThat(digestOf(store.digestAt(WEB, minute(0)))).contains(A);
        assertThat(digestOf(store.digestAt(WEB, minute(15)))).contains(A);
        assertThat(digestOf(store.digestAt(WEB, minute(20)))).contains(B);
        assertThat(digestOf(store.digestAt(WEB, day(1)))).contains(B);
    }

    @Test
    void stepsBackCountEachDigestOnce() throws Exception {
        String[] pushes = {A, B, C, B, C};
        for (int i = 0; i < pushes.length; i++) {
            store.write(sightings(seen(WEB, pushes[i], minute(i))));
        }

        assertThat(digestOf(store.previousDigest(WEB, 1))).contains(B);
        assertThat(digestOf(store.previousDigest(WEB, 2))).contains(A);
        assertThat(store.previousDigest(WEB, 3)).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> store.previousDigest(WEB, 0));
    }

    @Test
    void rememberedDigestsAreReplacedAndForgotten() throws Exception {
        TrackedContainer other = new TrackedContainer(WORKLOAD, "main", "other:1");
        store.write(remember(TRACKED, A));
        store.write(remember(other, A));
        store.write(remember(TRACKED, B));
        assertThat(store.remembered()).isEqualTo(Map.of(TRACKED, B, other, A));

        store.write(forget(other, new TrackedContainer("never/seen/it", "main", WEB)));
        assertThat(store.remembered()).isEqualTo(Map.of(TRACKED, B));
    }

    @Test
    void aContainerThatIsBothForgottenAndRememberedIsRemembered() throws Exception {
        store.write(remember(TRACKED, A));
        store.write(new Batch(List.of(), Map.of(), Map.of(TRACKED, B), Set.of(TRACKED), List.of()));
        assertThat(store.remembered()).isEqualTo(Map.of(TRACKED, B));
    }

    @Test
    void aRolloutIsWrittenWhenRequestedAndAgainWhenItEnds() throws Exception {
        RolloutRecord first = requested("r1", minute(0), B);
        RolloutRecord second = requested("r2", minute(5), C);
        store.write(rollouts(first, second));
        assertThat(store.unfinishedRollouts()).containsExactly(first, second);

        RolloutRecord done = ended(first, minute(4), "succeeded");
        store.write(rollouts(done));
        store.write(rollouts(first));

        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(second, done);
        assertThat(store.rollouts(WORKLOAD, 1)).containsExactly(second);
        assertThat(store.unfinishedRollouts()).containsExactly(second);
    }

    @Test
    void anInterimOutcomeNeverHidesTheFinalOutcomeOfARollout() throws Exception {
        RolloutRecord rollout = requested("r1", minute(0), B);
        store.write(rollouts(rollout));
        store.write(rollouts(left(rollout)));
        assertThat(store.unfinishedRollouts()).containsExactly(left(rollout));

        RolloutRecord done = ended(rollout, minute(4), "succeeded");
        store.write(rollouts(done));
        store.write(rollouts(left(rollout)));
        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(done);
    }

    private static RolloutRecord left(RolloutRecord rollout) {
        return new RolloutRecord(
                rollout.id(),
                rollout.workload(),
                rollout.why(),
                rollout.changes(),
                rollout.requested(),
                Optional.empty(),
                Optional.of("not followed"),
                Optional.empty());
    }

    @Test
    void aRolloutKeepsTheChangesOfItsFirstWriteInOrder() throws Exception {
        RolloutRecord rollout = requested(
                "r1",
                "two moved",
                minute(0),
                new Change("zeta", WEB, Optional.of(A), B),
                new Change("alpha", "other:1", Optional.empty(), C));
        store.write(rollouts(rollout));
        store.write(rollouts(requested("r1", "else", minute(9))));

        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(rollout);
    }

    @Test
    void theLatestRolloutsOfAllWorkloadsAreReadNewestFirst() throws Exception {
        RolloutRecord old = requested("r1", minute(0), B);
        RolloutRecord first = requested("r2", minute(5), C);
        RolloutRecord other = new RolloutRecord(
                "r1",
                "blog/Deployment/web",
                "moved",
                List.of(new Change("web", WEB, Optional.of(A), B), new Change("side", "other:1", Optional.empty(), C)),
                minute(6),
                Optional.of(minute(7)),
                Optional.of("failed"),
                Optional.of("crash"));
        store.write(rollouts(old, first, other));

        assertThat(store.rolloutsSince(minute(5), 10)).containsExactly(other, first);
        assertThat(store.rolloutsSince(minute(5), 1)).containsExactly(other);
        assertThat(store.rolloutsSince(minute(8), 10)).isEmpty();
    }

    @Test
    void aRolloutWithoutChangesIsKept() throws Exception {
        RolloutRecord bare = requested("r1", "resume", minute(0));
        store.write(rollouts(bare));
        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(bare);
    }

    @Test
    void rolloutsAreFoundByTheDigestThatTheyBrought() throws Exception {
        RolloutRecord toB = requested("r1", minute(0), B);
        RolloutRecord toC = requested("r2", minute(1), C);
        RolloutRecord toBAgain = requested("r3", minute(2), B);
        store.write(rollouts(toB, toC, toBAgain));

        assertThat(store.rolloutsTo(WEB, B)).containsExactly(toBAgain, toB);
        assertThat(store.rolloutsTo(WEB, A)).isEmpty();
        assertThat(store.rolloutsTo("other:1", B)).isEmpty();
    }

    @Test
    void textsAreOpaque() throws Exception {
        String text = "'; DROP TABLE reference; -- :name ? <x> \\ ü 🐳 \n%_";
        TrackedContainer tracked = new TrackedContainer(text, text, text);
        RolloutRecord rollout = new RolloutRecord(
                text,
                text,
                text,
                List.of(new Change(text, text, Optional.of(text), text)),
                NOON,
                Optional.of(NOON),
                Optional.of(text),
                Optional.of(text));
        store.write(new Batch(
                List.of(new Sighting(text, text, Optional.of(text), NOON)),
                Map.of(new Image(text, text), new ImageLabels(Optional.of(text), Optional.of(text), Optional.empty())),
                Map.of(tracked, text),
                Set.of(),
                List.of(rollout)));

        assertThat(store.references()).containsExactly(text);
        assertThat(store.digests(text, 1).get(0).digest()).isEqualTo(text);
        assertThat(store.remembered()).containsExactly(Map.entry(tracked, text));
        assertThat(store.rollouts(text, 1)).containsExactly(rollout);
        assertThat(store.rolloutsTo(text, text)).containsExactly(rollout);
    }

    @Test
    void aTextForPeopleIsTruncatedAndANameThatIsTooLongIsRejected() throws Exception {
        String text = "a\0🐳".repeat(60_000);
        store.write(new Batch(
                List.of(new Sighting(WEB, A, Optional.of(text), NOON)),
                Map.of(
                        new Image(WEB, A),
                        new ImageLabels(Optional.of(text), Optional.of(text), Optional.of(Instant.MAX))),
                Map.of(),
                Set.of(),
                List.of(new RolloutRecord(
                        "r1",
                        WORKLOAD,
                        text,
                        List.of(),
                        NOON,
                        Optional.of(NOON),
                        Optional.of(text),
                        Optional.of(text)))));

        TagDigest found = store.digests(WEB, 1).get(0);
        assertThat(found.mediaType())
                .hasValueSatisfying(
                        cut -> assertThat(cut).startsWith("a\uFFFD🐳a").endsWith("…"));
        assertThat(found.mediaType().orElseThrow()).hasSizeBetween(250, 255);
        assertThat(found.labels()).hasValueSatisfying(labels -> {
            assertThat(labels.revision().orElseThrow()).hasSizeBetween(250, 256);
            assertThat(labels.version().orElseThrow()).hasSizeBetween(250, 256);
            assertThat(labels.created()).isEmpty();
        });
        RolloutRecord rollout = store.rollouts(WORKLOAD, 1).get(0);
        assertThat(rollout.why()).hasSizeBetween(1020, 1024);
        assertThat(rollout.message().orElseThrow()).hasSizeBetween(1020, 1024);
        assertThat(rollout.outcome().orElseThrow()).hasSizeBetween(120, 128);

        for (String key : List.of("k".repeat(1025), "k\0")) {
            assertThatIllegalArgumentException().isThrownBy(() -> seen(key, A, NOON));
            assertThatIllegalArgumentException().isThrownBy(() -> seen(WEB, key, NOON));
            assertThatIllegalArgumentException().isThrownBy(() -> new Image(WEB, key));
            assertThatIllegalArgumentException().isThrownBy(() -> new Image(key, A));
            assertThatIllegalArgumentException().isThrownBy(() -> new TrackedContainer(key, "main", WEB));
            assertThatIllegalArgumentException().isThrownBy(() -> new TrackedContainer(WORKLOAD, key, WEB));
            assertThatIllegalArgumentException().isThrownBy(() -> new Change(key, WEB, Optional.empty(), A));
            assertThatIllegalArgumentException().isThrownBy(() -> requested(key, NOON, A));
        }
        String longest = "k".repeat(1024);
        store.write(sightings(seen(longest, A, NOON)));
        assertThat(store.references()).contains(longest);
    }

    @Test
    void theNumberOfStoredMediaTypesIsLimited() throws Exception {
        List<Sighting> sightings = new ArrayList<>();
        for (int i = 0; i < 1_200; i++) {
            sightings.add(new Sighting("app:" + i, A, Optional.of("made/up" + i), NOON));
        }
        store.write(new Batch(sightings, Map.of(), Map.of(), Set.of(), List.of()));

        long stored = 0;
        for (int i = 0; i < 1_200; i++) {
            stored += store.digests("app:" + i, 1).get(0).mediaType().isPresent() ? 1 : 0;
        }
        assertThat(stored).isEqualTo(1_000);
        store.write(sightings(seen("app:1", B, minute(1)), seen("new:1", A, minute(1))));
        assertThat(store.digests("new:1", 1).get(0).digest()).isEqualTo(A);
    }

    @Test
    void clustersDoNotSeeEachOther() throws Exception {
        DigestStore green = another("green");
        store.write(sightings(seen(WEB, A, minute(0))));
        store.write(remember(TRACKED, A));
        store.write(rollouts(requested("r1", minute(0), B)));
        green.write(sightings(seen(WEB, C, minute(1))));
        green.write(rollouts(requested("r1", minute(7), C)));

        assertThat(green.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(C);
        assertThat(green.remembered()).isEmpty();
        assertThat(green.rollouts(WORKLOAD, 10)).containsExactly(requested("r1", minute(7), C));
        assertThat(store.rollouts(WORKLOAD, 10)).containsExactly(requested("r1", minute(0), B));
        assertThat(store.rolloutsSince(minute(0), 10)).containsExactly(requested("r1", minute(0), B));

        assertThat(green.prune(Retention.DEFAULT, Set.of(), day(400))).isEqualTo(2);
        assertThat(store.digests(WEB, 10)).hasSize(1);
        assertThat(store.unfinishedRollouts()).hasSize(1);
    }

    @Test
    void aStoreReadsWhatAnotherOneWrote() throws Exception {
        DigestStore second = another("blue");
        store.write(sightings(seen(WEB, A, minute(0))));
        assertThat(second.digests(WEB, 1)).hasSize(1);
        second.write(sightings(seen(WEB, B, minute(1))));
        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(B, A);
    }

    @Test
    void alternatingWritersOfOneClusterNeverUseOutdatedKnowledge() throws Exception {
        DigestStore second = another("blue");
        store.write(sightings(seen(WEB, A, minute(0)), seen("other:1", A, minute(0))));
        second.write(sightings(seen(WEB, B, minute(5))));
        // For the first one the tag has not moved since; but this is older than what the second one saw.
        store.write(sightings(seen(WEB, A, minute(4))));
        store.write(sightings(seen(WEB, B, minute(6)), seen("new:1", C, minute(6))));
        second.write(sightings(seen(WEB, B, minute(7)), seen("new:1", C, minute(7)), seen("other:1", B, minute(7))));
        store.write(sightings(seen(WEB, C, minute(8)), seen("other:1", B, minute(8))));

        for (DigestStore each : List.of(store, second)) {
            assertThat(each.digests(WEB, 10))
                    .extracting(TagDigest::digest, TagDigest::firstSeen, TagDigest::lastSeen)
                    .containsExactly(
                            tuple(C, minute(8), minute(8)),
                            tuple(B, minute(5), minute(7)),
                            tuple(A, minute(0), minute(0)));
            assertThat(each.digests("other:1", 10))
                    .extracting(TagDigest::digest, TagDigest::firstSeen, TagDigest::lastSeen)
                    .containsExactly(tuple(B, minute(7), minute(8)), tuple(A, minute(0), minute(0)));
            assertThat(each.digests("new:1", 10))
                    .extracting(TagDigest::firstSeen, TagDigest::lastSeen)
                    .containsExactly(tuple(minute(6), minute(7)));
        }
    }

    @Test
    void aTagThatAnotherWriterPrunedStartsAfresh() throws Exception {
        DigestStore second = another("blue");
        store.write(sightings(seen(WEB, A, day(0)), seen("other:1", A, day(9))));
        assertThat(second.prune(new Retention(50, 7), Set.of(), day(8))).isEqualTo(1);

        store.write(sightings(seen(WEB, A, day(9))));
        assertThat(store.prune(new Retention(50, 7), Set.of(), day(17))).isEqualTo(2);
        store.write(sightings(seen(WEB, A, day(18))));

        assertThat(store.references()).containsExactly(WEB);
        assertThat(store.digests(WEB, 10))
                .extracting(TagDigest::digest, TagDigest::firstSeen)
                .containsExactly(tuple(A, day(18)));
    }

    @Test
    void aReadOnlyStoreSeesTheHistoryAsSoonAsItExists() throws Exception {
        try (DigestStore look = DigestStores.readOnly(store)) {
            assertThatExceptionOfType(StoreException.class).isThrownBy(look::references);
            another("green").check();
            assertThatExceptionOfType(StoreException.class)
                    .isThrownBy(look::references)
                    .withMessageContaining("no history of the cluster blue");

            store.write(sightings(seen(WEB, A, minute(0))));
            assertThat(look.references()).containsExactly(WEB);
            store.write(sightings(seen(WEB, B, minute(1))));
            assertThat(look.digests(WEB, 10)).hasSize(2);
        }
    }

    // ---- retention

    @Test
    void pruningKeepsTheNewestDigestsOfEachReference() throws Exception {
        for (int i = 0; i < 10; i++) {
            store.write(sightings(seen(WEB, digest(i), minute(i)), seen("calm:1", A, minute(i))));
        }

        assertThat(store.prune(new Retention(3, 180), Set.of(), day(1))).isEqualTo(7);

        assertThat(store.digests(WEB, 100))
                .extracting(TagDigest::digest)
                .containsExactly(digest(9), digest(8), digest(7));
        assertThat(store.digests("calm:1", 100)).hasSize(1);
        assertThat(store.prune(new Retention(3, 180), Set.of(), day(1))).isZero();
    }

    @Test
    void pruningDeletesWhatWasLastSeenTooLongAgo() throws Exception {
        store.write(sightings(seen(WEB, A, day(0)), seen("gone:1", A, day(0))));
        store.write(sightings(seen(WEB, B, day(5))));
        store.write(sightings(seen(WEB, C, day(10))));

        assertThat(store.prune(new Retention(50, 7), Set.of(), day(12).plusSeconds(1)))
                .isEqualTo(3);

        assertThat(store.digests(WEB, 100)).extracting(TagDigest::digest).containsExactly(C);
        assertThat(store.references()).containsExactly(WEB);
    }

    @Test
    void pruningKeepsDigestsThatAreInUsePinnedOrRemembered() throws Exception {
        store.write(sightings(seen(WEB, A, day(0))));
        store.write(sightings(seen(WEB, B, day(1))));
        store.write(sightings(seen(WEB, C, day(2))));
        store.write(sightings(seen(WEB, digest(4), day(3))));
        store.write(remember(TRACKED, A));

        assertThat(store.prune(new Retention(1, 1), Set.of(C, "sha256:unheard"), day(100)))
                .isEqualTo(1);
        assertThat(store.digests(WEB, 100)).extracting(TagDigest::digest).containsExactly(digest(4), C, A);

        store.write(forget(TRACKED));
        assertThat(store.prune(new Retention(1, 1), Set.of(), day(100))).isEqualTo(3);
        assertThat(store.references()).isEmpty();
    }

    @Test
    void aFlappingTagKeepsOneStayOfADigestInUse() throws Exception {
        for (int i = 0; i < 100; i++) {
            store.write(sightings(seen(WEB, i % 2 == 0 ? A : B, minute(i))));
        }
        store.write(sightings(seen(WEB, C, minute(200))));
        store.write(remember(TRACKED, A));

        assertThat(store.prune(new Retention(1, 180), Set.of(B), day(1))).isEqualTo(98);
        assertThat(store.digests(WEB, 200)).extracting(TagDigest::digest).containsExactly(C, B, A);
        assertThat(store.prune(new Retention(1, 180), Set.of(B), day(1))).isZero();
    }

    @Test
    void pruningKeepsTheNewestThousandRolloutsOfAWorkload() throws Exception {
        List<RolloutRecord> rollouts = new ArrayList<>();
        for (int i = 0; i < 1_100; i++) {
            rollouts.add(requested("r" + i, minute(i), A));
        }
        store.write(new Batch(List.of(), Map.of(), Map.of(), Set.of(), rollouts));

        assertThat(store.prune(Retention.DEFAULT, Set.of(), day(2))).isEqualTo(100);
        assertThat(store.rollouts(WORKLOAD, 2_000))
                .hasSize(1_000)
                .extracting(RolloutRecord::id)
                .startsWith("r1099")
                .endsWith("r100");
    }

    @Test
    void pruningKeepsTheNewestRolloutOfATrackedWorkload() throws Exception {
        store.write(rollouts(requested("r1", day(0), B), requested("r2", day(1), C)));
        store.write(remember(TRACKED, C));

        assertThat(store.prune(Retention.DEFAULT, Set.of(), day(400))).isEqualTo(1);
        assertThat(store.rollouts(WORKLOAD, 10)).extracting(RolloutRecord::id).containsExactly("r2");

        store.write(forget(TRACKED));
        assertThat(store.prune(Retention.DEFAULT, Set.of(), day(400))).isEqualTo(1);
        assertThat(store.rollouts(WORKLOAD, 10)).isEmpty();
    }

    @Test
    void aPrunedDigestCanComeBack() throws Exception {
        store.write(sightings(seen(WEB, A, day(0))));
        store.write(sightings(seen(WEB, B, day(1))));
        store.prune(new Retention(1, 180), Set.of(), day(1));
        assertThat(store.digests(WEB, 10)).hasSize(1);

        store.write(sightings(seen(WEB, A, day(2))));
        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(A, B);
    }

    @Test
    void pruningHandlesMoreReferencesThanFitInOneStep() throws Exception {
        store.write(manyReferences(1_700, 0, day(0)));
        store.write(manyReferences(1_700, 10_000, day(1)));
        assertThat(store.prune(new Retention(1, 180), Set.of(), day(1))).isEqualTo(1_700);
        assertThat(store.prune(new Retention(1, 1), Set.of(), day(9))).isEqualTo(1_700);
        assertThat(store.references()).isEmpty();
    }

    // ---- behaviour

    @Test
    void readersAndWritersWorkConcurrently() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<Integer>> work = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                String reference = "thread:" + t;
                work.add(() -> {
                    for (int i = 0; i < 40; i++) {
                        store.write(sightings(seen(reference, digest(i), minute(i))));
                    }
                    return 0;
                });
                work.add(() -> {
                    int seen = 0;
                    for (int i = 0; i < 100; i++) {
                        int now = store.digests(reference, 100).size();
                        assertThat(now).isGreaterThanOrEqualTo(seen);
                        seen = now;
                    }
                    return seen;
                });
            }
            for (Future<Integer> done : threads.invokeAll(work)) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(store.digests("thread:0", 100)).hasSize(40);
        assertThat(store.digests("thread:1", 100)).hasSize(40);
    }

    @Test
    void aFailedBatchLeavesNothingBehind() throws Exception {
        store.write(sightings(seen(WEB, A, minute(0))));
        Batch bad = new Batch(
                List.of(seen(WEB, B, minute(1))),
                Map.of(),
                Map.of(TRACKED, B),
                Set.of(),
                // A time that no database can store in milliseconds.
                List.of(requested("r1", Instant.MAX, B)));

        assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> store.write(bad));

        assertThat(store.digests(WEB, 10)).extracting(TagDigest::digest).containsExactly(A);
        assertThat(store.remembered()).isEmpty();
        store.write(sightings(seen(WEB, B, minute(1))));
        assertThat(store.digests(WEB, 10)).hasSize(2);
    }

    @Test
    void aClosedStoreReportsThatAndMayBeClosedAgain() throws Exception {
        store.check();
        store.close();
        store.close();
        assertThatExceptionOfType(StoreException.class)
                .isThrownBy(() -> store.references())
                .withMessageContaining("closed");
        assertThatExceptionOfType(StoreException.class).isThrownBy(() -> store.check());
    }

    @Test
    void aClusterNeedsAName() {
        assertThatIllegalArgumentException().isThrownBy(() -> open(" "));
    }
}
