package io.urunner.agent.plan;

import static io.urunner.kube.testing.TestRolloutStatus.wanted;

import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Pod;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.testing.TestPod;
import io.urunner.kube.testing.TestWorkload;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A small model of the world outside the agents: a registry with one tag, one Deployment with its revisions and pods, a
 * node that pulls, and a store. Agents run the real planner against it.
 */
final class World {
    static final String REF = Given.REF;

    /** How the node's runtime reports a running image. */
    enum Runtime {
        INDEX,
        CHILD,
        CONFIG,
        UNREADABLE
    }

    /** What nodes that have the tag do. */
    enum Nodes {
        /** They pull it again. */
        PULL,
        /** They run what they have. */
        KEEP,
        /** They run what they have, and the agent pins digests. */
        PINNED
    }

    private final Runtime runtime;
    private final Nodes nodes;
    private Instant now = Given.NOW;
    private int pushes;

    private String tag;
    private final Set<String> broken = new HashSet<>();
    private final List<String> everPushed = new ArrayList<>();
    private final List<String> observed = new ArrayList<>();
    private final Map<String, Integer> contentQuestions = new HashMap<>();
    private int tagQuestions;

    private int resourceVersion = 1;
    private boolean seenByController = true;
    private int replicas = 1;
    private Template template = new Template(0, Optional.empty(), Optional.empty());
    private final List<Template> past = new ArrayList<>();
    private Optional<String> state = Optional.empty();
    private String manager = "kubectl";
    private List<SimPod> pods = new ArrayList<>();
    private Optional<String> nodeCache = Optional.empty();

    private final List<String> rollouts = new ArrayList<>();
    private int observedAtTheUndo = -1;
    private int rolloutsAtTheUndo;
    private Optional<String> undone = Optional.empty();
    private Optional<Integer> rolloutsAtTheFirstPutBack = Optional.empty();
    private int revisions;

    /** What the store contains; a lost store is an empty one. */
    Optional<String> remembered = Optional.empty();

    List<TagWatch.Sight> history = new ArrayList<>();

    private record Template(int revision, Optional<String> digests, Optional<String> pin) {}

    private record SimPod(int number, int revision, Optional<String> pulled, boolean terminating) {}

    World(Runtime runtime, Nodes nodes) {
        this.runtime = runtime;
        this.nodes = nodes;
        pushNew(false);
        settle();
    }

    // what people and controllers do

    void pushNew(boolean isBroken) {
        tag = "sha256:" + String.format(Locale.ROOT, "%064x", ++pushes * 16);
        everPushed.add(tag);
        if (isBroken) {
            broken.add(tag);
        }
    }

    void pushOld(int back) {
        tag = everPushed.get(Math.max(0, everPushed.size() - 1 - back));
    }

    void undo() {
        if (past.isEmpty()) {
            return;
        }
        Template previous = past.remove(past.size() - 1);
        past.add(template);
        template = previous;
        Optional<String> last = state.flatMap(WorkloadState::parse)
                .map(written -> written.containers().get("app"))
                .flatMap(WorkloadState.ContainerState::acted);
        undone = last.equals(acted()) ? Optional.empty() : last; // undoing an undo brings our change back
        seenByController = false;
        manager = "kubectl-undo";
        resourceVersion++;
        observedAtTheUndo = observed.size();
        rolloutsAtTheUndo = rollouts.size();
    }

    /** A tool applies its manifest, which contains the tag. */
    void putBack() {
        if (template.pin.isPresent()) {
            past.add(template);
            template = new Template(++revisions, template.digests, Optional.empty());
            seenByController = false;
            manager = "argocd-controller";
            resourceVersion++;
            rolloutsAtTheFirstPutBack = rolloutsAtTheFirstPutBack.or(() -> Optional.of(rollouts.size()));
        }
    }

    void scale(int wanted) {
        replicas = wanted;
        seenByController = false;
        resourceVersion++;
    }

    void losePod() {
        pods.removeIf(pod -> !pod.terminating);
    }

    /** One step of the controllers and the node. */
    void control() {
        tick();
        resourceVersion += seenByController ? 0 : 1;
        seenByController = true;
        pods.removeIf(SimPod::terminating);
        if (replicas == 0) {
            pods.replaceAll(pod -> new SimPod(pod.number, pod.revision, pod.pulled, true));
            return;
        }
        Optional<SimPod> current = current();
        if (current.isEmpty()) {
            pods.add(new SimPod(pushes * 1000 + resourceVersion, template.revision, Optional.empty(), false));
        } else if (!isReady(current.get())) { // first start, or after a crash: both pull
            SimPod pod = current.get();
            String image =
                    template.pin.orElseGet(() -> nodes == Nodes.PULL ? answer() : nodeCache.orElseGet(this::answer));
            nodeCache = template.pin.isPresent() ? nodeCache : Optional.of(image);
            pods.remove(pod);
            pods.add(new SimPod(pod.number, pod.revision, Optional.of(image), false));
        } else if (isReady(current.get())) {
            pods.replaceAll(pod ->
                    pod.revision == template.revision ? pod : new SimPod(pod.number, pod.revision, pod.pulled, true));
        }
    }

    void settle() {
        for (int i = 0; i < 5; i++) {
            control();
        }
    }

    Instant tick() {
        now = now.plusSeconds(1);
        return now;
    }

    // what an agent sees and does

    String head() {
        tick();
        tagQuestions++;
        return answer();
    }

    /** The registry is asked, by an agent or by a node that pulls. */
    private String answer() {
        if (observed.isEmpty() || !observed.get(observed.size() - 1).equals(tag)) {
            observed.add(tag);
        }
        return tag;
    }

    /** An answer of a lagging replica: the digest that the tag had before. */
    String lagging() {
        tagQuestions++;
        String old = everPushed.get(Math.max(0, everPushed.size() - 2));
        if (!observed.contains(old)) {
            observed.add(old);
        }
        return old;
    }

    /** The content of a digest, according to the registry. */
    Content.Known content(String digest) {
        contentQuestions.merge(digest, 1, Integer::sum);
        return new Content.Known(Set.of(digest, child(digest), config(digest)));
    }

    Workload snapshot() {
        Map<String, String> own = new HashMap<>();
        state.ifPresent(text -> own.put(Workload.STATE, text));
        Map<String, String> onTemplate = new HashMap<>();
        template.digests.ifPresent(text -> onTemplate.put(Workload.DIGESTS, text));
        List<Pod> seen = pods.stream().map(this::pod).toList();
        long live = pods.stream().filter(pod -> !pod.terminating).count();
        long updated = pods.stream()
                .filter(pod -> !pod.terminating && pod.revision == template.revision)
                .count();
        long ready =
                pods.stream().filter(pod -> !pod.terminating && isReady(pod)).count();
        return TestWorkload.named("shop/Deployment/web")
                .resourceVersion(resourceVersion)
                .generation(resourceVersion)
                .annotations(own)
                .templateAnnotations(onTemplate)
                .container(
                        "app",
                        REF + template.pin.map(digest -> "@" + digest).orElse(""),
                        nodes == Nodes.PULL ? "Always" : "IfNotPresent")
                .rollout(wanted(replicas)
                        .observed(seenByController)
                        .total((int) live)
                        .updated((int) updated)
                        .ready((int) ready))
                .currentRevision(Integer.toString(template.revision))
                .pods(seen)
                .templateManagers(manager.equals("urunner") ? List.of() : List.of(manager))
                .build();
    }

    private Pod pod(SimPod pod) {
        Pod.ContainerStatus status = new Pod.ContainerStatus(
                "app", pod.pulled.map(this::imageId).orElse(""), isReady(pod), 0, Optional.empty());
        return TestPod.named("web-" + pod.number)
                .ofCurrentRevision(seenByController && pod.revision == template.revision)
                .terminating(pod.terminating)
                .phase(pod.pulled.isPresent() ? "Running" : "Pending")
                .ready(isReady(pod))
                .containers(status)
                .build();
    }

    private String imageId(String digest) {
        return switch (runtime) {
            case INDEX -> "elsewhere.example/app@" + digest;
            case CHILD -> "docker-pullable://elsewhere.example/app@" + child(digest);
            case CONFIG -> config(digest).substring("sha256:".length());
            case UNREADABLE -> "docker://unreadable";
        };
    }

    /** The one patch; false if somebody else was faster. */
    boolean rollOut(Workload planned, Decision.Restart restart) {
        tick();
        if (!planned.resourceVersion().equals(Integer.toString(resourceVersion))) {
            return false;
        }
        past.add(template);
        Optional<String> pin = Optional.ofNullable(restart.patch().images().get("app"))
                .map(image -> image.substring(image.indexOf('@') + 1))
                .or(() -> template.pin);
        template =
                new Template(++revisions, Optional.of(restart.patch().digests().toString()), pin);
        state = Optional.of(restart.patch().state().toString());
        rollouts.add(restart.changes().get(0).to());
        seenByController = false;
        manager = "urunner";
        resourceVersion++;
        return true;
    }

    boolean write(Workload planned, WorkloadState next) {
        tick();
        if (!planned.resourceVersion().equals(Integer.toString(resourceVersion))) {
            return false;
        }
        state = Optional.of(next.toString());
        resourceVersion++;
        return true;
    }

    void write(TagWatch.Sight counted) {
        tick();
        TreeMap<Instant, TagWatch.Sight> next = new TreeMap<>(Comparator.reverseOrder());
        next.put(counted.last(), counted);
        for (TagWatch.Sight past : history) {
            if (!past.digest().equals(counted.digest()) || past.last().isAfter(counted.last())) {
                next.put(past.last(), past);
            }
        }
        history = List.copyOf(next.values());
    }

    // what the invariants look at

    List<String> rollouts() {
        return rollouts;
    }

    /** How often the tag was seen to move by those who ask the registry: agents and nodes. */
    int moves() {
        return observed.size() - 1;
    }

    /** The digests that the tag was seen to have, without consecutive repetitions. */
    List<String> observed() {
        return observed;
    }

    String tag() {
        return tag;
    }

    /** How often agents asked for the content of each digest. */
    Map<String, Integer> contentQuestions() {
        return contentQuestions;
    }

    /** How often agents asked which digest the tag has. */
    int tagQuestions() {
        return tagQuestions;
    }

    Optional<String> runs() {
        return current().flatMap(SimPod::pulled);
    }

    boolean wantsPods() {
        return replicas > 0;
    }

    Optional<String> acted() {
        return template.digests.flatMap(DigestsAnnotation::parse).flatMap(digests -> digests.digest("app", REF));
    }

    /** The rollouts of what was reverted, while the tag was not seen to move. */
    long rolloutsAgainstTheUndo() {
        return undone.isPresent() && observedAtTheUndo == observed.size()
                ? rollouts.stream()
                        .skip(rolloutsAtTheUndo)
                        .filter(undone.get()::equals)
                        .count()
                : 0;
    }

    /** Whether the tag still has the digest that somebody reverted. */
    boolean isTakenBack() {
        return undone.equals(Optional.of(tag)) && observedAtTheUndo == observed.size();
    }

    /** The policy of the Deployment. */
    Policy policy() {
        return nodes == Nodes.PINNED
                ? Policy.DEFAULT
                        .override(Map.of("urunner.io/if-not-always", "pin"), Set.of())
                        .policy()
                : Policy.DEFAULT;
    }

    /** The rollouts since a tool reverted a pin, which it would do again. */
    int rolloutsAgainstTheTool() {
        return rolloutsAtTheFirstPutBack.map(then -> rollouts.size() - then).orElse(0);
    }

    boolean isPutBack() {
        return rolloutsAtTheFirstPutBack.isPresent();
    }

    /** Whether we acted for the tag's digest, and the node does not pull, or saw another digest in between. */
    boolean mayStillBeOld() {
        return acted().equals(Optional.of(tag)) && (nodes == Nodes.KEEP || cameAgain());
    }

    /** Whether somebody reverted the digest that the tag has again, after having another one. */
    boolean wasTakenBackBefore() {
        return undone.equals(Optional.of(tag)) && cameAgain();
    }

    private boolean cameAgain() {
        return observed.stream().filter(tag::equals).count() > 1;
    }

    private Optional<SimPod> current() {
        return pods.stream()
                .filter(pod -> !pod.terminating && pod.revision == template.revision)
                .findFirst();
    }

    private boolean isReady(SimPod pod) {
        return pod.pulled.isPresent() && !broken.contains(pod.pulled.get());
    }

    private static String child(String digest) {
        return digest.substring(0, digest.length() - 1) + "c";
    }

    private static String config(String digest) {
        return digest.substring(0, digest.length() - 1) + "f";
    }
}
