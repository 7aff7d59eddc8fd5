package io.urunner.kube.testing;

import io.urunner.kube.RolloutStatus;
import java.util.Optional;

/** How far the controllers have got, for tests; by default, all wanted pods are of the current template and available. */
public final class TestRolloutStatus {
    private final int desired;
    private boolean observed = true;
    private boolean paused;
    private boolean onDelete;
    private int partition;
    private int total;
    private int updated;
    private int ready;
    private int available;
    private Optional<String> deadlineExceeded = Optional.empty();
    private Optional<String> creationFailure = Optional.empty();

    private TestRolloutStatus(int desired) {
        this.desired = desired;
        total = desired;
        updated = desired;
        ready = desired;
        available = desired;
    }

    public static TestRolloutStatus wanted(int pods) {
        return new TestRolloutStatus(pods);
    }

    public TestRolloutStatus observed(boolean whether) {
        observed = whether;
        return this;
    }

    public TestRolloutStatus paused() {
        paused = true;
        return this;
    }

    public TestRolloutStatus onDelete() {
        onDelete = true;
        return this;
    }

    public TestRolloutStatus partition(int ordinal) {
        partition = ordinal;
        return this;
    }

    public TestRolloutStatus total(int pods) {
        total = pods;
        return this;
    }

    public TestRolloutStatus updated(int pods) {
        updated = pods;
        return this;
    }

    /** So many pods are ready, and available. */
    public TestRolloutStatus ready(int pods) {
        ready = pods;
        return available(pods);
    }

    public TestRolloutStatus available(int pods) {
        available = pods;
        return this;
    }

    public TestRolloutStatus deadlineExceeded(String message) {
        deadlineExceeded = Optional.of(message);
        return this;
    }

    public TestRolloutStatus creationFailure(String message) {
        creationFailure = Optional.of(message);
        return this;
    }

    public RolloutStatus build() {
        return new RolloutStatus(
                desired,
                observed,
                paused,
                onDelete,
                partition,
                total,
                updated,
                ready,
                available,
                deadlineExceeded,
                creationFailure);
    }
}
