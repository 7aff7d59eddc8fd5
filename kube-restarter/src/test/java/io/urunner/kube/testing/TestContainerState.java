package io.urunner.kube.testing;

import io.urunner.kube.WorkloadState.ContainerState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What was done for a container, for tests; by default, nothing. */
public final class TestContainerState {
    private final String reference;
    private Optional<String> acted = Optional.empty();
    private Optional<Instant> actedAt = Optional.empty();
    private List<String> replaced = List.of();
    private Optional<String> rejected = Optional.empty();
    private Optional<String> rejectedBy = Optional.empty();
    private Optional<String> failed = Optional.empty();
    private Optional<String> failure = Optional.empty();
    private Optional<String> originalImage = Optional.empty();

    private TestContainerState(String reference) {
        this.reference = reference;
    }

    public static TestContainerState of(String reference) {
        return new TestContainerState(reference);
    }

    public TestContainerState acted(String digest) {
        acted = Optional.of(digest);
        return this;
    }

    public TestContainerState at(Instant time) {
        actedAt = Optional.of(time);
        return this;
    }

    public TestContainerState replaced(String... digests) {
        replaced = List.of(digests);
        return this;
    }

    public TestContainerState rejected(String digest, String by) {
        rejected = Optional.of(digest);
        rejectedBy = Optional.of(by);
        return this;
    }

    public TestContainerState failed(String digest, String how) {
        failed = Optional.of(digest);
        failure = Optional.of(how);
        return this;
    }

    public TestContainerState originalImage(String text) {
        originalImage = Optional.of(text);
        return this;
    }

    public ContainerState build() {
        return new ContainerState(
                reference, acted, actedAt, replaced, rejected, rejectedBy, failed, failure, originalImage);
    }
}
