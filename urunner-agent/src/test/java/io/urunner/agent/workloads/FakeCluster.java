package io.urunner.agent.workloads;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;

import io.urunner.kube.Container;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.PatchResult;
import io.urunner.kube.Pod;
import io.urunner.kube.Restart;
import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.RolloutProgress;
import io.urunner.kube.WatchProblem;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadKind;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestRolloutStatus;
import io.urunner.kube.testing.TestWorkload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** A cluster in memory: patches take effect at once, but the watch shows changes only when told to. */
public final class FakeCluster implements Cluster {
    private final Map<WorkloadId, Workload> real = new TreeMap<>();
    private final Map<WorkloadId, Workload> shown = new TreeMap<>();
    private Consumer<WorkloadId> listener = id -> {};
    /** Fails the next patches instead of making them. */
    private Optional<KubeException> refusal = Optional.empty();
    /** How many patches were refused. */
    public int refused;
    /** The next patch takes effect, but its answer is lost. */
    private boolean answerLate;

    private final Map<String, Error> faults = new HashMap<>();
    private boolean loseAnswer;
    private boolean undo;
    private boolean drop;
    /** Whether the watch shows changes by itself. */
    private boolean watching = true;

    final Set<String> namespaces = new TreeSet<>(Set.of("shop"));
    public final List<WorkloadId> patches = new ArrayList<>();
    /** What cannot be seen. */
    public final List<WatchProblem> hidden = new ArrayList<>();

    public final Map<WorkloadId, CompletableFuture<RolloutOutcome>> followed = new HashMap<>();
    public int reads;

    /** A Deployment whose pods run a digest, one container per image. */
    public WorkloadId deployment(String name, String running, String... images) {
        return deploymentIn("shop", name, running, images);
    }

    public WorkloadId deploymentIn(String namespace, String name, String running, String... images) {
        WorkloadId id = new WorkloadId(namespace, WorkloadKind.DEPLOYMENT, name);
        List<Container> containers = new ArrayList<>();
        List<Pod.ContainerStatus> statuses = new ArrayList<>();
        for (String image : images) {
            String container = "c" + containers.size();
            containers.add(new Container(container, image, "Always", false));
            statuses.add(new Pod.ContainerStatus(container, image + "@" + running, true, 0, Optional.empty()));
        }
        Pod pod = pod(true, statuses);
        real.put(
                id,
                TestWorkload.of(id)
                        .uid("uid-of-" + name)
                        .containers(containers)
                        .currentRevision("r1")
                        .pods(List.of(pod))
                        .templateManagers(List.of("kubectl"))
                        .build());
        show();
        return id;
    }

    private static Pod pod(boolean ready, List<Pod.ContainerStatus> statuses) {
        return TestPod.named("pod")
                .uid("uid")
                .ready(ready)
                .containers(statuses.toArray(Pod.ContainerStatus[]::new))
                .build();
    }

    /** What the API server has. */
    public Workload real(WorkloadId id) {
        return real.get(id);
    }

    public void delete(WorkloadId id) {
        real.remove(id);
        show();
    }

    public void refuse(KubeException with) {
        refusal = Optional.of(with);
    }

    /** The next time this step runs, it fails with an error. */
    public void fail(String step, Error with) {
        faults.put(step, with);
    }

    private void step(String name) {
        Error fault = faults.remove(name);
        if (fault != null) {
            throw fault;
        }
    }

    /** Whether everything that should fail has failed. */
    public boolean hasFailed() {
        return faults.isEmpty();
    }

    public void allow() {
        refusal = Optional.empty();
    }

    public void loseNextAnswer() {
        loseAnswer = true;
    }

    /** The next GET returns the state before the controller saw it, after the watch has reported the state after that. */
    public void answerTheNextReadLate() {
        answerLate = true;
    }

    /** From now on, a controller reverts every patch at once, including annotations. */
    public void undoAll() {
        undo = true;
    }

    /** From now on, patches are answered as if they had been made, but change nothing. */
    public void dropAll() {
        drop = true;
    }

    public void pauseWatch() {
        watching = false;
    }

    public void resumeWatch() {
        watching = true;
        show();
    }

    /** Somebody else changes a label: another version of the same template. */
    public void touch(WorkloadId id) {
        put(change(real.get(id), Map.of(), Map.of()));
    }

    /** The controllers have finished the template, and the pods run this. */
    public void runs(WorkloadId id, String digest) {
        Workload old = real.get(id);
        List<Pod.ContainerStatus> statuses = old.containers().stream()
                .map(container -> new Pod.ContainerStatus(
                        container.name(), container.image() + "@" + digest, true, 0, Optional.empty()))
                .toList();
        Pod pod = pod(true, statuses);
        put(with(old, wanted(1), List.of(pod)));
    }

    /** Its pod crashes again and again. */
    public void crashes(WorkloadId id) {
        Workload old = real.get(id);
        List<Pod.ContainerStatus> statuses = old.containers().stream()
                .map(container -> new Pod.ContainerStatus(
                        container.name(), container.image() + "@sha256:0", false, 3, Optional.of("CrashLoopBackOff")))
                .toList();
        Pod pod = pod(false, statuses);
        put(with(old, wanted(1).ready(0), List.of(pod)));
    }

    /** The controllers are still rolling out. */
    public void rolling(WorkloadId id) {
        put(with(real.get(id), wanted(1).total(2), real.get(id).pods()));
    }

    /** The rollout of a workload that is followed succeeds. */
    public void succeeds(WorkloadId id) {
        followed.get(id).complete(new RolloutOutcome.Succeeded());
    }

    /** The rollout of a workload that is followed fails. */
    public void fails(WorkloadId id, RolloutProgress.Cause cause, String message) {
        followed.get(id).complete(new RolloutOutcome.Failed(cause, message));
    }

    /** Somebody annotates a workload. */
    public void annotate(WorkloadId id, String name, String value) {
        put(change(real.get(id), Map.of(name, value), Map.of()));
    }

    /** Somebody annotates a workload and its template. */
    public void forge(WorkloadId id, String state, String digests) {
        put(change(real.get(id), Map.of(Workload.STATE, state), Map.of(Workload.DIGESTS, digests)));
    }

    private static Workload with(Workload old, TestRolloutStatus status, List<Pod> pods) {
        return TestWorkload.like(old).rollout(status).pods(pods).build();
    }

    private void put(Workload workload) {
        real.put(workload.id(), workload);
        if (watching) {
            show();
        }
    }

    private void show() {
        List<WorkloadId> changed = Stream.concat(real.keySet().stream(), shown.keySet().stream())
                .distinct()
                .filter(id -> !Optional.ofNullable(real.get(id)).equals(Optional.ofNullable(shown.get(id))))
                .toList();
        shown.clear();
        shown.putAll(real);
        changed.forEach(listener);
    }

    private static Workload change(Workload old, Map<String, String> annotations, Map<String, String> template) {
        Map<String, String> newAnnotations = new HashMap<>(old.annotations());
        newAnnotations.putAll(annotations);
        Map<String, String> newTemplate = new HashMap<>(old.templateAnnotations());
        newTemplate.putAll(template);
        return TestWorkload.like(old)
                .edited()
                .annotations(newAnnotations)
                .templateAnnotations(newTemplate)
                .templateManagers(List.of("urunner"))
                .build();
    }

    @Override
    public void start(Consumer<WorkloadId> newListener) {
        listener = newListener;
    }

    @Override
    public boolean synced() {
        return true;
    }

    @Override
    public List<Workload> workloads() {
        return List.copyOf(shown.values());
    }

    @Override
    public Optional<Workload> find(WorkloadId id) {
        step("find");
        return Optional.ofNullable(shown.get(id));
    }

    @Override
    public List<WatchProblem> problems() {
        return List.copyOf(hidden);
    }

    @Override
    public Set<String> namespaces() {
        return namespaces;
    }

    @Override
    public boolean watches(String namespace) {
        return true;
    }

    @Override
    public PatchResult restart(Workload planned, Restart restart) throws KubeException {
        return patch(
                planned,
                Map.of(Workload.STATE, restart.state().toString()),
                Map.of(Workload.DIGESTS, restart.digests().toString()));
    }

    @Override
    public PatchResult remember(Workload planned, WorkloadState state) throws KubeException {
        return patch(planned, Map.of(Workload.STATE, state.toString()), Map.of());
    }

    private PatchResult patch(Workload planned, Map<String, String> annotations, Map<String, String> template)
            throws KubeException {
        step("before the patch");
        if (refusal.isPresent()) {
            refused++;
            throw refusal.get();
        }
        Workload now = real.get(planned.id());
        if (now == null) {
            return new PatchResult.Gone();
        }
        if (!now.resourceVersion().equals(planned.resourceVersion())) {
            return new PatchResult.Conflict();
        }
        patches.add(planned.id());
        if (drop) {
            return new PatchResult.Patched(now.resourceVersion(), now.generation());
        }
        Workload after = change(now, annotations, template);
        put(after);
        step("after the patch");
        if (undo) {
            put(TestWorkload.like(after)
                    .edited()
                    .annotations(now.annotations())
                    .templateAnnotations(now.templateAnnotations())
                    .templateManagers(List.of("operator"))
                    .build());
        }
        if (loseAnswer) {
            loseAnswer = false;
            throw new KubeException("the answer is lost", KubeException.NO_ANSWER);
        }
        return new PatchResult.Patched(after.resourceVersion(), after.generation());
    }

    @Override
    public Optional<Workload> read(WorkloadId id) {
        step("read");
        reads++;
        Optional<Workload> found = Optional.ofNullable(real.get(id));
        if (!answerLate) {
            return found;
        }
        answerLate = false;
        resumeWatch();
        return found.map(now -> with(now, wanted(1).observed(false), now.pods()));
    }

    @Override
    public List<PastTemplate> pastTemplates(WorkloadId id) {
        return List.of();
    }

    @Override
    public boolean deletePod(String namespace, Pod pod) {
        return false;
    }

    @Override
    public CompletableFuture<RolloutOutcome> follow(
            WorkloadId id, DigestsAnnotation digests, PatchResult.Patched patched, Duration timeout) {
        step("follow");
        CompletableFuture<RolloutOutcome> outcome = new CompletableFuture<>();
        followed.put(id, outcome);
        return outcome;
    }
}
