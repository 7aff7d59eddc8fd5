package io.urunner.agent.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.loop.StateLog;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStore.Sighting;
import io.urunner.store.DigestStore.TagDigest;
import io.urunner.store.DigestStores;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What accumulates while the agent shuts down. */
class MemoryEndTest {
    private static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");

    private final ManualLoop loop = new ManualLoop();
    private final Deque<Runnable> storeThread = new ArrayDeque<>();
    private final AtomicInteger ends = new AtomicInteger();

    @TempDir
    private Path folder;

    private Memory memory(DigestStore store) {
        return new Memory(
                store, loop, loop, storeThread::add, new StateLog(LoggerFactory.getLogger(MemoryEndTest.class), loop));
    }

    private void storeWorks() {
        while (!storeThread.isEmpty()) {
            storeThread.remove().run();
            loop.settle();
        }
    }

    private static Sighting sighting(String tag) {
        return new Sighting(tag, "sha256:" + "a".repeat(64), Optional.empty(), NOW);
    }

    @Test
    void whatAccumulatesDuringAWriteIsWrittenBeforeTheEnd() throws Exception {
        try (DigestStore store = DigestStores.sqlite(folder.resolve("db"), "test")) {
            Memory memory = memory(store);
            memory.seen(sighting("first"));
            memory.flush();
            memory.seen(sighting("second"));
            memory.end(ends::incrementAndGet);
            assertThat(ends).hasValue(0);

            storeWorks();

            assertThat(ends).hasValue(1);
            assertThat(store.digests("second", 1))
                    .extracting(TagDigest::firstSeen)
                    .containsExactly(NOW);
        }
    }

    @Test
    void nothingIsAwaitedIfNothingAccumulated() {
        try (DigestStore store = DigestStores.sqlite(folder.resolve("db"), "test")) {
            memory(store).end(ends::incrementAndGet);
            assertThat(ends).hasValue(1);
        }
    }

    @Test
    void aBrokenStoreIsTriedOnceMore() {
        try (DigestStore store = DigestStores.sqlite(folder.resolve("missing").resolve("db"), "test")) {
            Memory memory = memory(store);
            memory.seen(sighting("first"));
            memory.end(ends::incrementAndGet);
            storeWorks();
            assertThat(ends).hasValue(1);
        }
    }
}
