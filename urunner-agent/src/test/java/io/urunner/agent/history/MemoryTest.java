package io.urunner.agent.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.loop.StateLog;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import io.urunner.store.DigestStores;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What was learned while the store did not work ends up in it as if it had worked. */
class MemoryTest {
    private static final String TAG = "registry.example/web:latest";
    private static final String A = "sha256:" + "a".repeat(64);
    private static final String B = "sha256:" + "b".repeat(64);

    private final ManualLoop loop = new ManualLoop();

    @TempDir
    private Path folder;

    @AutoClose
    private DigestStore store;

    private Memory memory;

    @BeforeEach
    void start() throws Exception {
        store = DigestStores.sqlite(folder.resolve("missing").resolve("db"), "test");
        memory = new Memory(
                store, loop, loop, Runnable::run, new StateLog(LoggerFactory.getLogger(MemoryTest.class), loop));
    }

    private static Instant minute(int n) {
        return Instant.parse("2026-11-23T12:00:00Z").plusSeconds(60L * n);
    }

    private void pass(int minute, String digest) {
        memory.seen(new Sighting(TAG, digest, Optional.empty(), minute(minute)));
        memory.flush();
        loop.settle();
    }

    @Test
    void everyStayOfADigestIsWrittenFromItsBeginningToItsEnd() throws Exception {
        for (int minute = 0; minute < 10; minute++) {
            pass(minute, minute < 4 || minute == 8 ? A : B);
        }
        assertThat(memory.works()).isFalse();

        Files.createDirectory(folder.resolve("missing"));
        pass(10, B);

        assertThat(memory.works()).isTrue();
        assertThat(store.digests(TAG, 10))
                .extracting(TagDigest::digest, TagDigest::firstSeen, TagDigest::lastSeen)
                .containsExactly(
                        tuple(B, minute(9), minute(10)),
                        tuple(A, minute(8), minute(8)),
                        tuple(B, minute(4), minute(7)),
                        tuple(A, minute(0), minute(3)));
    }

    @Test
    void aLookReadsTheStoreAndWritesNothing() throws Exception {
        Files.createDirectory(folder.resolve("missing"));
        pass(0, A);
        Memory look = new Memory(
                DigestStores.readOnly(store),
                loop,
                loop,
                Runnable::run,
                new StateLog(LoggerFactory.getLogger(MemoryTest.class), loop));
        look.readOnly();

        look.seen(new Sighting(TAG, B, Optional.empty(), minute(1)));
        look.flush();
        loop.settle();

        assertThat(look.history(TAG, 10).orElseThrow())
                .extracting(TagDigest::digest)
                .containsExactly(A);
        assertThat(store.digests(TAG, 10)).extracting(TagDigest::digest).containsExactly(A);
        assertThat(look.works()).isTrue();
    }

    @Test
    void aLookTreatsAnUnreadableStoreAsEmpty() {
        memory.readOnly();
        AtomicReference<Memory.Past> told = new AtomicReference<>();
        AtomicBoolean done = new AtomicBoolean();

        memory.load(told::set, () -> done.set(true));
        loop.settle();

        assertThat(done).isTrue();
        assertThat(told).hasNullValue();
        assertThat(memory.history(TAG, 10)).contains(List.of());
        loop.settle();
        assertThat(memory.works()).isTrue();
    }

    @Test
    void aTagThatKeepsMovingDoesNotFillTheMemory() throws Exception {
        for (int minute = 0; minute < 1_000; minute++) {
            pass(minute, minute % 2 == 0 ? A : B);
        }
        Files.createDirectory(folder.resolve("missing"));
        pass(1_000, A);

        assertThat(store.digests(TAG, 1_000))
                .hasSize(100)
                .first()
                .satisfies(stay -> assertThat(stay.firstSeen()).isEqualTo(minute(1_000)));
    }
}
