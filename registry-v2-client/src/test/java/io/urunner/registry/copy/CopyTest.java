package io.urunner.registry.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.Index;
import io.urunner.registry.Manifest;
import io.urunner.registry.ManifestOrIndex;
import io.urunner.registry.MediaType;
import io.urunner.registry.Platform;
import io.urunner.registry.copy.CopyResult.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a copy writes, in which order, and what it leaves alone. */
class CopyTest {
    private final MemoryStore source = new MemoryStore();
    private final MemoryStore target = new MemoryStore();

    private final Manifest amd = TestImages.image(source::put, "linux/amd64");
    private final Manifest arm = TestImages.image(source::put, "linux/arm64");
    private final Index index = TestImages.index(new TreeMap<>(Map.of("linux/amd64", amd, "linux/arm64", arm)));

    CopyTest() {
        source.put("", amd);
        source.put("", arm);
        source.put("v1", index);
    }

    private Copy.Builder copy() {
        return Copy.from(source, "v1");
    }

    @Test
    void copiesAnIndexWithEverythingBelowItAndTheTagLast() throws Exception {
        CopyResult result = copy().to(target, "v2").run();

        assertThat(result.image()).isEqualTo(index.descriptor());
        assertThat(target.manifests.get("v2")).isEqualTo(index);
        assertThat(target.blobs.keySet()).isEqualTo(source.blobs.keySet());
        // Both images have the same layer.
        assertThat(target.writes).hasSize(3 + 3).endsWith("v2");
        assertThat(result.count(Outcome.COPIED)).isEqualTo(6);
    }

    @Test
    void copiesNothingThatIsThere() throws Exception {
        copy().to(target, "v2").run();
        target.writes.clear();

        CopyResult again = copy().to(target, "v2").run();
        CopyResult otherTag = copy().to(target, "v3").run();

        assertThat(again.count(Outcome.PRESENT)).isEqualTo(again.items().size());
        assertThat(otherTag.count(Outcome.COPIED)).isEqualTo(1);
        assertThat(target.writes).containsExactly("v3");
    }

    @Test
    void continuesWhereAnEarlierCopyStopped() throws Exception {
        byte[] layer = source.blobs.get(amd.layers().get(0).digest());
        target.put(MediaType.OCI_LAYER, layer);
        target.put(MediaType.OCI_CONFIG, source.blobs.get(arm.config().digest()));
        target.put("", arm);

        CopyResult result = copy().to(target, "v1").run();

        assertThat(target.writes)
                .containsExactly("blob " + amd.config().digest(), amd.digest().toString(), "v1");
        assertThat(result.bytes(Outcome.PRESENT))
                .isEqualTo(layer.length + arm.descriptor().size());
    }

    @Test
    void aDryRunSaysWhatItWouldCopyAndWritesNothing() throws Exception {
        CopyResult would = copy().dryRun().to(target, "v1").run();

        assertThat(target.writes).isEmpty();
        assertThat(would).isEqualTo(copy().to(target, "v1").run());
    }

    @Test
    void ofOnePlatformOnlyTheManifestIsCopied() throws Exception {
        CopyResult result =
                copy().platforms(List.of(Platform.LINUX_ARM64)).to(target, "v1").run();

        assertThat(result.image().digest()).isEqualTo(arm.digest());
        assertThat(target.manifests).containsOnlyKeys(arm.digest().toString(), "v1");
        assertThat(target.blobs).doesNotContainKey(amd.config().digest());
    }

    @Test
    void ofSeveralPlatformsAnIndexIsWrittenWithTheirAttestations() throws Exception {
        Manifest s390x = TestImages.image(source::put, "linux/s390x");
        source.put("", s390x);
        Descriptor attestation = attestation(amd);
        Descriptor another = attestation(s390x);
        List<Descriptor> entries = new ArrayList<>(index.manifests());
        entries.addAll(List.of(TestImages.entry(s390x, "linux/s390x"), attestation, another));
        source.put("v1", Index.of(entries, Map.of("a", "b")));

        copy().platforms(List.of(Platform.LINUX_AMD64, Platform.LINUX_ARM64))
                .to(target, "v1")
                .run();

        Index written = (Index) target.manifests.get("v1");
        assertThat(written.manifests().stream().map(Descriptor::digest))
                .containsExactly(amd.digest(), arm.digest(), attestation.digest());
        assertThat(written.annotations()).containsEntry("a", "b");
        assertThat(target.manifests).doesNotContainKey(s390x.digest().toString());
    }

    private Descriptor attestation(Manifest of) {
        Manifest content = Manifest.of(
                source.put(
                        MediaType.OCI_CONFIG, of.digest().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                List.of(),
                Map.of());
        source.put("", content);
        return new Descriptor(
                content.mediaType(),
                content.digest(),
                content.descriptor().size(),
                Optional.of(Platform.parse("unknown/unknown")),
                Optional.empty(),
                Map.of(
                        "vnd.docker.reference.type",
                        "attestation-manifest",
                        "vnd.docker.reference.digest",
                        of.digest().toString()));
    }

    @Test
    void ofEntriesWithoutAPlatformTheConfigurationsSayWhichFits() throws Exception {
        Descriptor artifact = source.put("", TestImages.referrer(source::put, amd.descriptor(), "sbom"));
        source.put("v1", Index.of(List.of(artifact, amd.descriptor(), arm.descriptor()), Map.of()));

        copy().platforms(List.of(Platform.LINUX_ARM64)).to(target, "one").run();
        copy().platforms(List.of(Platform.LINUX_ARM64, Platform.LINUX_AMD64))
                .to(target, "two")
                .run();

        assertThat(target.manifests.get("one")).isEqualTo(arm);
        assertThat(((Index) target.manifests.get("two")).manifests())
                .extracting(Descriptor::digest)
                .containsExactly(arm.digest(), amd.digest());
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> copy().platforms(List.of(Platform.parse("linux/riscv64")))
                        .to(target, "three")
                        .run())
                .withMessageContaining("no image for linux/riscv64")
                .withMessageContaining("[linux/amd64, linux/arm64]");
    }

    @Test
    void aMissingPlatformIsNamedWithThoseThatThereAre() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> copy().platforms(List.of(Platform.parse("linux/riscv64")))
                        .to(target, "v1")
                        .run())
                .withMessageContaining("linux/riscv64")
                .withMessageContaining("linux/amd64");
        assertThat(target.writes).isEmpty();
    }

    @Test
    void referrersAndTheirReferrersAreCopiedOnRequestBeforeTheTag() throws Exception {
        ManifestOrIndex sbom = TestImages.referrer(source::put, amd.descriptor(), "sbom");
        ManifestOrIndex signature = TestImages.referrer(source::put, sbom.descriptor(), "signature");
        source.put("", sbom);
        source.put("", signature);

        copy().to(target, "plain").run();
        assertThat(target.manifests).doesNotContainKey(sbom.digest().toString());
        target.writes.clear();
        copy().referrers().to(target, "signed").run();

        assertThat(target.writes)
                .contains(sbom.digest().toString(), signature.digest().toString())
                .endsWith("signed");
    }

    @Test
    void tagsMadeOfDigestsAreCopiedOnRequest() throws Exception {
        Manifest signature = TestImages.image(source::put, "linux/386");
        String tag = "sha256-" + arm.digest().hex() + ".sig";
        source.put(tag, signature);
        source.put("sha256-" + "0".repeat(64) + ".sig", signature);
        source.put("sha256-" + arm.digest().hex(), index);

        copy().digestTags().to(target, "v1").run();

        assertThat(target.tags()).containsExactly(tag, "v1");
        assertThat(target.writes).endsWith("v1");
    }

    @Test
    void blobsThatAnIndexListsAreCopiedAsBlobs() throws Exception {
        Descriptor layer = source.put(MediaType.OCI_LAYER, new byte[] {1, 2, 3});
        Index cache = Index.of(List.of(layer), Map.of());
        source.put("cache", cache);

        Copy.from(source, "cache").to(target, "cache").run();

        assertThat(target.blobs).containsKey(layer.digest());
        assertThat(target.manifests.get("cache")).isEqualTo(cache);
    }

    @Test
    void layersThatMustNotBeDistributedAreLeftOut() throws Exception {
        Descriptor foreign = new Descriptor(
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest.of(new byte[] {9}), 1);
        source.put("windows", Manifest.of(amd.config(), List.of(foreign), Map.of()));

        CopyResult result = Copy.from(source, "windows").to(target, "windows").run();

        assertThat(result.items()).contains(new CopyResult.Item(foreign, Outcome.LEFT_OUT));
        assertThat(target.blobs).doesNotContainKey(foreign.digest());
    }

    @Test
    void aDigestAsTargetGivesNoName() throws Exception {
        copy().to(target, index.digest().toString()).run();

        assertThat(target.tags()).isEmpty();
        assertThat(target.find(index.digest().toString())).contains(index.descriptor());
    }

    @Test
    void blobsAreCopiedAtTheSameTime() throws Exception {
        CountDownLatch together = new CountDownLatch(3);
        MemoryStore waiting = new MemoryStore() {
            @Override
            public boolean hasBlob(Descriptor blob) {
                together.countDown();
                try {
                    together.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return super.hasBlob(blob);
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            // Each of the three blobs waits for the two others.
            copy().executor(threads, 3).to(waiting, "v1").run();
        } finally {
            threads.shutdownNow();
        }
        assertThat(waiting.tags()).containsExactly("v1");
    }

    @Test
    void anExecutorThatNeverRunsOrRefusesDoesNotStopACopy() throws Exception {
        copy().executor(task -> {}, 4).to(target, "v1").run();
        copy().executor(
                        task -> {
                            throw new RejectedExecutionException();
                        },
                        4)
                .to(target, "v2")
                .run();

        assertThat(target.tags()).containsExactly("v1", "v2");
    }

    @Test
    void aFailureStopsTheOthersAndNamesWhatCouldNotBeRead() throws Exception {
        Digest broken = arm.config().digest();
        MemoryStore failing = new MemoryStore() {
            @Override
            public InputStream blob(Descriptor blob) throws IOException, InterruptedException {
                if (blob.digest().equals(broken)) {
                    return new InputStream() {
                        @Override
                        public int read() throws IOException {
                            throw new IOException("the disk is damaged");
                        }
                    };
                }
                return super.blob(blob);
            }
        };
        failing.manifests.putAll(source.manifests);
        failing.blobs.putAll(source.blobs);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Copy.from(failing, "v1").to(target, "v1").run())
                .withMessageContaining(broken.toString())
                .withMessageContaining("the disk is damaged");
        assertThat(target.tags()).isEmpty();
    }

    @Test
    void anInterruptEndsACopyWhenItsHelpersHaveEnded() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        Thread caller = Thread.currentThread();
        MemoryStore slow = new MemoryStore() {
            @Override
            public boolean hasBlob(Descriptor blob) {
                if (Thread.currentThread() == caller) {
                    try {
                        reached.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    caller.interrupt();
                    return true;
                }
                reached.countDown();
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    ended.countDown();
                }
                return true;
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(1);
        try {
            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> copy().executor(threads, 2).to(slow, "v1").run());
            assertThat(ended.getCount()).isZero();
            assertThat(threads.submit(Thread::interrupted).get()).isFalse();
        } finally {
            threads.shutdownNow();
        }
        assertThat(slow.tags()).isEmpty();
    }

    @Test
    void anInterruptWhileABlobIsReadIsNoFailureOfTheBlob() throws Exception {
        MemoryStore interrupted = new MemoryStore() {
            @Override
            public InputStream blob(Descriptor blob) throws IOException {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while reading blob " + blob.digest());
            }
        };
        interrupted.put("v1", amd);

        assertThatExceptionOfType(InterruptedException.class)
                .isThrownBy(() -> Copy.from(interrupted, "v1").to(target, "v1").run());
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void anInterruptWhileABlobIsOpenedIsNoFailureOfTheBlob() throws Exception {
        MemoryStore interrupted = new MemoryStore() {
            @Override
            public InputStream blob(Descriptor blob) throws InterruptedException {
                throw new InterruptedException();
            }
        };
        interrupted.put("v1", amd);

        assertThatExceptionOfType(InterruptedException.class)
                .isThrownBy(() -> Copy.from(interrupted, "v1").to(target, "v1").run());
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void anInterruptIsNoticedAlthoughASourceNeverWaits() throws Exception {
        MemoryStore endless = new MemoryStore() {
            @Override
            public InputStream blob(Descriptor blob) {
                return new InputStream() {
                    @Override
                    public int read() {
                        Thread.currentThread().interrupt();
                        return 0;
                    }
                };
            }
        };
        endless.put("v1", amd);

        assertThatExceptionOfType(InterruptedException.class)
                .isThrownBy(() -> Copy.from(endless, "v1").to(target, "v1").run());
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void whatRefersToAnImageMayListItsParts() throws Exception {
        Index listing =
                Index.of(List.of(amd.descriptor()), Optional.empty(), Optional.of(index.descriptor()), Map.of());
        source.put("", listing);

        copy().referrers().to(target, "v1").run();

        assertThat(target.manifests).containsKeys(listing.digest().toString(), "v1");
        assertThat(target.writes).endsWith("v1");
    }

    @Test
    void whatRefersToAnImageAndListsItIsCopiedOnceBeforeTheTag() throws Exception {
        Index listing =
                Index.of(List.of(index.descriptor()), Optional.empty(), Optional.of(index.descriptor()), Map.of());
        source.put("", listing);
        // It refers to a part, and is found before the other parts are written.
        Index another =
                Index.of(List.of(index.descriptor()), Optional.empty(), Optional.of(amd.descriptor()), Map.of());
        source.put("", another);

        CopyResult would = copy().referrers().dryRun().to(target, "v1").run();
        CopyResult result = copy().referrers().to(target, "v1").run();

        assertThat(result.items())
                .isEqualTo(would.items())
                .doesNotHaveDuplicates()
                .hasSize(3 + 2 + 1 + 2);
        assertThat(target.writes).endsWith("v1").doesNotHaveDuplicates();
        assertThat(target.writes.indexOf(index.digest().toString()))
                .isBetween(0, target.writes.indexOf(listing.digest().toString()));
        assertThat(target.manifests)
                .containsKeys(listing.digest().toString(), another.digest().toString(), "v1");
    }

    @Test
    void aListenerSeesEveryByteOnceAlthoughABlobStartsOver() throws Exception {
        MemoryStore restarting = new MemoryStore() {
            @Override
            public void pushBlob(Descriptor blob, io.urunner.registry.BlobSource content) throws IOException {
                try (InputStream first = content.open()) {
                    assertThat(first.readNBytes(5)).hasSize(5);
                }
                super.pushBlob(blob, content);
            }
        };
        AtomicLong transferred = new AtomicLong();
        AtomicLong planned = new AtomicLong();
        List<Descriptor> finished = new ArrayList<>();

        CopyResult result = copy().listener(new CopyListener() {
                    @Override
                    public void planned(int items, long bytes) {
                        planned.set(bytes);
                    }

                    @Override
                    public void transferred(Descriptor blob, long bytes) {
                        transferred.addAndGet(bytes);
                    }

                    @Override
                    public void finished(Descriptor content, Outcome outcome) {
                        finished.add(content);
                    }
                })
                .to(restarting, "v1")
                .run();

        long blobs =
                source.blobs.values().stream().mapToLong(each -> each.length).sum();
        assertThat(transferred).hasValue(blobs);
        assertThat(planned).hasValue(result.bytes(Outcome.COPIED));
        assertThat(finished).hasSize(6);
    }
}
