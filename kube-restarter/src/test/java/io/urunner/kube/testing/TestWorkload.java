package io.urunner.kube.testing;

import io.urunner.kube.Container;
import io.urunner.kube.Pod;
import io.urunner.kube.RolloutStatus;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A workload for tests: a complete one without containers, or one that differs from another. */
public final class TestWorkload {
    private final WorkloadId id;
    private String uid = "uid";
    private String resourceVersion = "1";
    private long generation = 1;
    private Map<String, String> annotations = Map.of();
    private Map<String, String> templateAnnotations = Map.of();
    private List<Container> containers = List.of();
    private List<String> imagePullSecrets = List.of();
    private String serviceAccount = "default";
    private RolloutStatus rollout = TestRolloutStatus.wanted(1).build();
    private Optional<String> currentRevision = Optional.empty();
    private List<Pod> pods = List.of();
    private List<String> templateManagers = List.of();

    private TestWorkload(WorkloadId id) {
        this.id = id;
    }

    /** A workload such as {@code shop/Deployment/web}. */
    public static TestWorkload named(String id) {
        return of(WorkloadId.parse(id));
    }

    public static TestWorkload of(WorkloadId id) {
        return new TestWorkload(id);
    }

    public static TestWorkload like(Workload other) {
        TestWorkload copy = new TestWorkload(other.id());
        copy.uid = other.uid();
        copy.resourceVersion = other.resourceVersion();
        copy.generation = other.generation();
        copy.annotations = other.annotations();
        copy.templateAnnotations = other.templateAnnotations();
        copy.containers = other.containers();
        copy.imagePullSecrets = other.imagePullSecrets();
        copy.serviceAccount = other.serviceAccount();
        copy.rollout = other.rollout();
        copy.currentRevision = other.currentRevision();
        copy.pods = other.pods();
        copy.templateManagers = other.templateManagers();
        return copy;
    }

    public TestWorkload uid(String text) {
        uid = text;
        return this;
    }

    public TestWorkload generation(long number) {
        generation = number;
        return this;
    }

    public TestWorkload resourceVersion(int number) {
        resourceVersion = Integer.toString(number);
        return this;
    }

    /** The next version of its specification. */
    public TestWorkload edited() {
        generation++;
        return resourceVersion(Integer.parseInt(resourceVersion) + 1);
    }

    public TestWorkload annotations(Map<String, String> all) {
        annotations = all;
        return this;
    }

    public TestWorkload templateAnnotations(Map<String, String> all) {
        templateAnnotations = all;
        return this;
    }

    public TestWorkload container(String name, String image, String pullPolicy) {
        return containers(List.of(new Container(name, image, pullPolicy, false)));
    }

    public TestWorkload containers(List<Container> all) {
        containers = all;
        return this;
    }

    public TestWorkload imagePullSecrets(List<String> names) {
        imagePullSecrets = names;
        return this;
    }

    public TestWorkload rollout(TestRolloutStatus status) {
        return rollout(status.build());
    }

    public TestWorkload rollout(RolloutStatus status) {
        rollout = status;
        return this;
    }

    public TestWorkload currentRevision(String label) {
        currentRevision = Optional.of(label);
        return this;
    }

    public TestWorkload pods(List<Pod> all) {
        pods = all;
        return this;
    }

    public TestWorkload templateManagers(List<String> newestFirst) {
        templateManagers = newestFirst;
        return this;
    }

    public Workload build() {
        return new Workload(
                id,
                uid,
                resourceVersion,
                generation,
                annotations,
                templateAnnotations,
                containers,
                imagePullSecrets,
                serviceAccount,
                rollout,
                currentRevision,
                pods,
                templateManagers);
    }
}
