package io.urunner.agent.tags;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.urunner.agent.AgentListener;
import io.urunner.agent.engine.EngineScene;
import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.plan.Content;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.registry.RegistryPrefix;
import io.urunner.registry.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ContentsTest {
    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final ImageReference DEV = ImageReference.parse("r.example/app:dev");
    private static final ImageReference PROD = ImageReference.parse("r.example/app:prod");
    private static final ImageReference COPY = ImageReference.parse("r.example/copy:prod");
    private static final Digest D1 = digest(1);
    private static final Digest D2 = digest(2);

    private final ManualLoop loop = new ManualLoop();
    private final List<ImageReference> changed = new ArrayList<>();
    private final FakeSource source = new FakeSource();
    private final List<Runnable> late = new ArrayList<>();
    private final List<String> runaways = new ArrayList<>();
    private final Contents contents = new Contents(loop, INTERVAL, changed::add);
    private final Watched registry = watched("r.example", INTERVAL, loop::execute);

    private Watched watched(String host, Duration interval, Executor workers) {
        WatchedRegistry watched = new WatchedRegistry(RegistryPrefix.parse(host), source, interval, 4);
        return new Watched(watched, any -> new HostQueue(host, interval, 4, loop, loop, new Port(workers)));
    }

    @BeforeEach
    void limitLog() {
        EngineScene.limitLog(Level.INFO);
    }

    @AfterEach
    void restoreLog() {
        EngineScene.limitLog(null);
    }

    @Test
    void contentReadForOneReferenceIsSharedByAllWithTheDigest() {
        fetch(DEV, D1);
        fetch(COPY, D1);
        assertThat(source.read).containsExactly("r.example/app@" + D1);
        assertThat(contents.content(question(COPY), D1)).isEqualTo(known(D1));
        assertThat(changed).containsExactly(DEV, COPY);
    }

    @Test
    void contentWantedBySeveralTagsIsFetchedOnceAndAllAreTold() {
        contents.fetch(question(DEV), D1, registry);
        contents.fetch(question(PROD), D1, registry);
        contents.fetch(question(COPY), D1, registry);
        assertThat(contents.busy()).isTrue();
        loop.settle();
        assertThat(source.read).containsExactly("r.example/app@" + D1);
        assertThat(changed).containsExactlyInAnyOrder(DEV, PROD, COPY);
        assertThat(contents.busy()).isFalse();
    }

    @Test
    void ifOneOfTwoRepositoriesFailsTheOtherFetchesTheContentItself() {
        source.failing.add("r.example/app");
        contents.fetch(question(DEV), D1, registry);
        contents.fetch(question(COPY), D1, registry);
        loop.settle();
        assertThat(source.read).containsExactly("r.example/app@" + D1, "r.example/copy@" + D1);
        assertThat(changed).containsExactlyInAnyOrder(DEV, COPY);
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
    }

    /** One follows a rollout of the previous digest, the other plans for the current one. */
    @Test
    void readersOfTwoDigestsOfOneTagDoNotInterfere() {
        for (int i = 0; i < 1000; i++) {
            fetch(DEV, D1);
            fetch(DEV, D2);
            assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
            assertThat(contents.content(question(DEV), D2)).isEqualTo(known(D2));
        }
        assertThat(source.read).containsExactly("r.example/app@" + D1, "r.example/app@" + D2);
    }

    @Test
    void everyManifestOfAnIndexIsReadOnceWhateverElseListsIt() {
        source.image(digest(11), digest(21));
        source.image(digest(12), digest(22));
        source.index(D1, digest(11), digest(12));
        source.index(D2, digest(12), digest(11));
        fetch(DEV, D1);
        fetch(PROD, D2);
        assertThat(contents.content(question(DEV), D1))
                .isEqualTo(known(D1, digest(11), digest(12), digest(21), digest(22)));
        assertThat(contents.content(question(PROD), D2))
                .isEqualTo(known(D2, digest(11), digest(12), digest(21), digest(22)));
        assertThat(source.read).hasSize(4).doesNotHaveDuplicates();
    }

    @Test
    void endlessOrTooWideIndexesAreNotReadCompletely() {
        for (int i = 1; i < 50; i++) {
            source.index(digest(i), digest(i + 1));
        }
        fetch(DEV, D1);
        assertThat(contents.content(question(DEV), D1)).isInstanceOf(Content.Unavailable.class);
        assertThat(source.read).hasSize(ContentWalk.DEEPEST);

        source.read.clear();
        source.index(
                digest(99),
                IntStream.range(1000, 1000 + 2 * ContentWalk.MOST)
                        .mapToObj(ContentsTest::digest)
                        .toArray(Digest[]::new));
        fetch(DEV, digest(99));
        assertThat(contents.content(question(DEV), digest(99))).isInstanceOf(Content.Unavailable.class);
        assertThat(source.read).hasSize(1);

        source.read.clear();
        loop.advance(INTERVAL.multipliedBy(100));
        fetch(DEV, digest(99));
        assertThat(source.read).as("an index does not change").isEmpty();
    }

    @Test
    void aFailureConcernsOneRepositoryUntilAnotherIsAnswered() {
        source.failing.add("r.example/app");
        fetch(DEV, D1);
        assertThat(contents.content(question(DEV), D1)).isInstanceOf(Content.Unavailable.class);
        assertThat(contents.content(question(COPY), D1)).isInstanceOf(Content.Unread.class);
        fetch(COPY, D1);
        assertThat(source.read).containsExactly("r.example/app@" + D1, "r.example/copy@" + D1);
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
    }

    @Test
    void aFailedReadIsRetriedLessAndLessOften() {
        source.failing.add("r.example/app");
        for (int i = 0; i < 600; i++) {
            fetch(DEV, D1);
            fetch(PROD, D1);
            loop.advance(Duration.ofSeconds(1));
        }
        assertThat(source.read).as("after 20, 60, 140, 300 s").hasSize(5);
        assertThat(runaways).isEmpty();
        source.failing.clear();
        changed.clear();
        loop.advance(INTERVAL.multipliedBy(64));
        assertThat(changed).containsExactlyInAnyOrder(DEV, PROD);
        fetch(DEV, D1);
        assertThat(contents.content(question(PROD), D1)).isEqualTo(known(D1));
    }

    @Test
    void aHangingHostDoesNotPreventReadingTheSameDigestFromAnother() {
        Watched hangs = watched("h.example", INTERVAL, late::add);
        contents.fetch(question(ImageReference.parse("h.example/app:dev")), D1, hangs);
        fetch(DEV, D1);
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
        late.forEach(Runnable::run);
        loop.settle();
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
        assertThat(contents.busy()).isFalse();
    }

    @Test
    void aPlanWaitsForContentForALimitedTimeAndIsToldWhenItArrives() {
        Watched hangs = watched("h.example", INTERVAL, late::add);
        ImageReference slow = ImageReference.parse("h.example/app:dev");
        contents.fetch(question(slow), D1, hangs);
        loop.settle();
        assertThat(contents.awaits(question(slow))).isTrue();
        loop.advance(Duration.ofSeconds(11));
        assertThat(contents.awaits(question(slow))).isFalse();
        assertThat(changed).containsExactly(slow);
        assertThat(contents.content(question(slow), D1)).isInstanceOf(Content.Unread.class);
        late.forEach(Runnable::run);
        loop.settle();
        assertThat(changed).containsExactly(slow, slow);
        assertThat(contents.content(question(slow), D1)).isEqualTo(known(D1));
    }

    @Test
    void contentOfARarelyAskedRegistryIsKeptUntilItsNextPass() {
        Duration hour = Duration.ofHours(1);
        Contents both = new Contents(loop, hour, changed::add);
        Watched seldom = watched("s.example", hour, loop::execute);
        ImageReference rare = ImageReference.parse("s.example/app:1");
        both.fetch(question(rare), D1, seldom);
        loop.settle();
        loop.advance(Duration.ofMinutes(50));
        for (int i = 100; i < 4000; i++) {
            both.fetch(question(DEV), digest(i), registry);
            loop.settle();
        }
        assertThat(both.content(question(rare), D1)).isEqualTo(known(D1));
    }

    @Test
    void contentThatNobodyNeedsMakesRoom() {
        fetch(DEV, D1);
        fetch(DEV, D2);
        loop.advance(Duration.ofMinutes(11));
        contents.content(question(DEV), D2);
        IntStream.range(100, 4000).forEach(i -> fetch(DEV, digest(i)));
        assertThat(contents.content(question(DEV), D2)).isEqualTo(known(D2));
        assertThat(contents.content(question(DEV), D1)).isInstanceOf(Content.Unread.class);
    }

    /** Otherwise, two that need more than there is room for would fetch alternately forever. */
    @Test
    void newContentWaitsIfAllTheRestIsNeeded() {
        IntStream.range(100, 60_000).forEach(i -> fetch(DEV, digest(i)));
        assertThat(contents.content(question(DEV), digest(100))).isInstanceOf(Content.Known.class);
        assertThat(contents.content(question(DEV), digest(59_999))).isInstanceOf(Content.Unavailable.class);
        int read = source.read.size();
        IntStream.range(100, 60_000).forEach(i -> fetch(DEV, digest(i)));
        assertThat(source.read).hasSize(read);
        assertThat(runaways).isEmpty();
    }

    @Test
    void aNamespaceWithManyImagesTakesNoRoomFromOthersAndIsNotReadForever() {
        registry.uses(DEV, "shop");
        registry.uses(PROD, "evil");
        IntStream.range(100, 200).forEach(i -> fetch(DEV, digest(i)));
        IntStream.range(1000, 41_000).forEach(i -> fetch(PROD, digest(i)));
        assertThat(source.read.size() - 100).isBetween(12_000, 12_500);
        assertThat(contents.content(question(PROD), digest(1000))).isInstanceOf(Content.Known.class);
        assertThat(contents.content(question(PROD), digest(40_999)))
                .isEqualTo(new Content.Unavailable("too many digests are in use to keep the content of all"));
        IntStream.range(200, 300).forEach(i -> fetch(DEV, digest(i)));
        for (int i = 100; i < 300; i++) {
            assertThat(contents.content(question(DEV), digest(i))).isEqualTo(known(digest(i)));
        }

        int read = source.read.size();
        for (int minute = 0; minute < 30; minute++) {
            loop.advance(Duration.ofMinutes(1));
            IntStream.range(100, 300).forEach(i -> fetch(DEV, digest(i)));
            IntStream.range(1000, 41_000).filter(i -> i % 10 == 0 || i < 14_000).forEach(i -> fetch(PROD, digest(i)));
        }
        assertThat(source.read).as("nothing of it twice").hasSize(read);
        assertThat(runaways).isEmpty();

        loop.advance(Duration.ofMinutes(11));
        fetch(PROD, digest(40_999));
        assertThat(contents.content(question(PROD), digest(40_999)))
                .as("there is room once the others are no longer needed")
                .isInstanceOf(Content.Known.class);
    }

    @Test
    void indexesCountWithEverythingTheyList() {
        registry.uses(DEV, "shop");
        registry.uses(PROD, "evil");
        for (int i = 0; i < 1000; i++) {
            int first = 1_000_000 + 100 * i;
            source.index(
                    digest(1000 + i),
                    IntStream.range(first, first + 99)
                            .mapToObj(ContentsTest::digest)
                            .toArray(Digest[]::new));
            fetch(PROD, digest(1000 + i));
        }
        // Each is kept twice: for the index that lists it, and for itself.
        assertThat(source.read).hasSizeBetween(6_000, 6_500);
        fetch(DEV, D1);
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
    }

    @Test
    void contentUsedBySeveralNamespacesCountsForOneOfThem() {
        registry.uses(PROD, "evil-1");
        registry.uses(PROD, "evil-2");
        registry.uses(DEV, "shop");
        IntStream.range(1000, 40_000).forEach(i -> fetch(PROD, digest(i)));
        assertThat(source.read).hasSizeBetween(24_000, 25_000);
        fetch(DEV, D1);
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
    }

    /** Two tags move to one digest, and the namespace that has no room is asked for first. */
    @Test
    void aNamespaceWithoutRoomDoesNotPreventOthersFromReadingTheSameImage() {
        registry.uses(DEV, "shop");
        registry.uses(PROD, "evil");
        IntStream.range(1000, 14_000).forEach(i -> fetch(PROD, digest(i)));
        contents.fetch(question(PROD), D1, registry);
        contents.fetch(question(DEV), D1, registry);
        loop.settle();
        assertThat(contents.content(question(DEV), D1)).isEqualTo(known(D1));
        assertThat(contents.content(question(PROD), D1)).as("it exists").isEqualTo(known(D1));
    }

    private void fetch(ImageReference reference, Digest digest) {
        contents.fetch(question(reference), digest, registry);
        loop.settle();
    }

    private static Digest digest(int number) {
        return Digest.parse("sha256:" + "%064x".formatted(number));
    }

    private static Content known(Digest... digests) {
        Set<String> all = new HashSet<>();
        for (Digest digest : digests) {
            all.add(digest.toString());
        }
        return new Content.Known(all);
    }

    private static Question question(ImageReference reference) {
        return new Question(reference, Asker.EVERYBODY);
    }

    private final class Port implements HostQueue.Port {
        private final Executor workers;

        Port(Executor workers) {
            this.workers = workers;
        }

        @Override
        public Supplier<Resolution> ask(Question question) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<WatchedRegistry.Allowance> allowance(Asker asker) {
            return Optional.empty();
        }

        @Override
        public void elsewhere(Runnable task, Consumer<Throwable> failed) {
            workers.execute(task);
        }

        @Override
        public void runaway(String what) {
            runaways.add(what);
        }

        @Override
        public void answered(Question question, Resolution outcome, Instant asked, Duration took) {}

        @Override
        public void passed(boolean whole, Duration took) {}

        @Override
        public Optional<WatchedRegistry.Allowance> budget() {
            return Optional.empty();
        }

        @Override
        public Collection<String> namespaces(Question question) {
            return List.of();
        }

        @Override
        public boolean hasTenants() {
            return false;
        }

        @Override
        public void served(AgentListener.Served what, String namespace) {}

        @Override
        public void forgotten(Asker asker) {}

        @Override
        public void settled(Asker asker, Optional<Resolution.Problem> problem) {}
    }

    /** Has every digest; those that it was not told about are manifests without a configuration. */
    private static final class FakeSource implements WatchedRegistry.Source {
        private final List<String> read = new ArrayList<>();
        private final Set<String> failing = new HashSet<>();
        private final Map<Digest, Links> contents = new HashMap<>();

        void image(Digest manifest, Digest config) {
            Descriptor descriptor = new Descriptor("application/vnd.oci.image.config.v1+json", config, 10);
            contents.put(manifest, new Links(List.of(), Optional.of(descriptor)));
        }

        void index(Digest index, Digest... children) {
            contents.put(index, new Links(List.of(children), Optional.empty()));
        }

        @Override
        public Descriptor resolve(ImageReference reference) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Links manifest(ImageReference image) throws RegistryException {
            read.add(image.toString());
            if (failing.contains(image.toRepository().toString())) {
                throw new UnavailableException(FailedRequest.of("get", "r.example"), "refused", null, null);
            }
            return contents.getOrDefault(image.digest().orElseThrow(), new Links(List.of(), Optional.empty()));
        }

        @Override
        public boolean hasCredential(ImageReference reference) {
            return true;
        }

        @Override
        public Optional<WatchedRegistry.Allowance> allowance() {
            return Optional.empty();
        }
    }
}
