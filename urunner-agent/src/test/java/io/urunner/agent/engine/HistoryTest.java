package io.urunner.agent.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.WorkloadId;
import io.urunner.store.DigestStore;
import io.urunner.store.DigestStores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is kept in the store, and for how long. */
class HistoryTest extends EngineScene {
    @Test
    void aDigestPinnedInATemplateIsNotPrunedAlthoughPodsReportAnother() throws Exception {
        Instant ago = loop.instant().minus(Duration.ofDays(200));
        store.write(new DigestStore.Batch(
                List.of(
                        new DigestStore.Sighting(APP, D1, Optional.empty(), ago),
                        new DigestStore.Sighting(APP, D2, Optional.empty(), ago.plusSeconds(1)),
                        new DigestStore.Sighting(APP, D3, Optional.empty(), loop.instant())),
                Map.of(),
                Map.of(),
                Set.of(),
                List.of()));
        cluster.deployment("a", "sha256:" + "c".repeat(64), APP + "@" + D1);
        start();
        loop.advance(Duration.ofMinutes(6));
        assertThat(store.digests(APP, 5))
                .extracting(DigestStore.TagDigest::digest)
                .containsExactly(D3, D1);
    }

    @Test
    void aBrokenDatabasePreventsNoRolloutAndIsCaughtUpLater() throws Exception {
        store.close();
        Path missing = folder.resolve("missing");
        store = DigestStores.sqlite(missing.resolve("db"), "test");
        WorkloadId id = cluster.deployment("a", D1, APP);
        start();
        push(D2);
        assertThat(cluster.patches).containsExactly(id);
        create(missing);
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(store.rollouts(id.toString(), 5)).hasSize(1);
        assertThat(store.digests(APP, 5))
                .extracting(DigestStore.TagDigest::digest)
                .contains(D2);
    }

    @Test
    void theDigestsOfADeletedWorkloadAreEventuallyForgotten() throws Exception {
        WorkloadId stays = cluster.deployment("a", D1, APP);
        WorkloadId goes = cluster.deployment("b", D1, APP);
        start();
        loop.advance(INTERVAL);
        cluster.delete(goes);
        assertThat(remembered()).containsExactlyInAnyOrder(stays.toString(), goes.toString());
        loop.advance(Duration.ofMinutes(30));
        assertThat(remembered()).contains(goes.toString());
        loop.advance(Duration.ofHours(7));
        assertThat(remembered()).containsExactly(stays.toString());
    }

    private List<String> remembered() throws Exception {
        return store.remembered().keySet().stream()
                .map(DigestStore.TrackedContainer::workload)
                .toList();
    }

    private static void create(Path folder) throws IOException {
        Files.createDirectory(folder);
    }
}
