package io.urunner.kube.testing;

import io.urunner.kube.Pod;
import java.util.List;
import java.util.Optional;

/** A pod for tests; by default, it is of the current revision, and ready. */
public final class TestPod {
    private final String name;
    private String uid;
    private boolean current = true;
    private boolean terminating;
    private String phase = "Running";
    private boolean ready = true;
    private Optional<String> unschedulable = Optional.empty();
    private List<Pod.ContainerStatus> containers = List.of();

    private TestPod(String name) {
        this.name = name;
        uid = name;
    }

    public static TestPod named(String name) {
        return new TestPod(name);
    }

    public TestPod uid(String text) {
        uid = text;
        return this;
    }

    public TestPod ofCurrentRevision(boolean whether) {
        current = whether;
        return this;
    }

    public TestPod terminating(boolean whether) {
        terminating = whether;
        return this;
    }

    public TestPod phase(String text) {
        phase = text;
        return this;
    }

    public TestPod ready(boolean whether) {
        ready = whether;
        return this;
    }

    public TestPod unschedulable(String message) {
        unschedulable = Optional.of(message);
        return this;
    }

    public TestPod containers(Pod.ContainerStatus... statuses) {
        containers = List.of(statuses);
        return this;
    }

    public Pod build() {
        return new Pod(name, uid, current, terminating, phase, ready, unschedulable, containers);
    }
}
