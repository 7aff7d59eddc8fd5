package io.urunner.agent.plan;

import io.urunner.agent.plan.Verdict.Kind;
import io.urunner.kube.Container;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Restart;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Builds the one patch of a rollout. A rollout pulls every container again, so the patch records what every resolved
 * container has now, not only the stale ones.
 */
final class RestartBuilder {
    private final Facts facts;
    private final Workload workload;
    private final WorkloadState before;
    private final DigestsAnnotation template;
    private final List<Verdict> verdicts;
    private final String reason;

    private final List<Decision.Change> changes = new ArrayList<>();
    private final SortedMap<String, String> digests = new TreeMap<>();
    private final SortedMap<String, ContainerState> states = new TreeMap<>();
    private final Map<String, String> images = new HashMap<>();
    private final List<String> warnings = new ArrayList<>();

    RestartBuilder(Facts facts, WorkloadState before, List<Verdict> verdicts, String reason) {
        this.facts = facts;
        this.before = before;
        this.verdicts = verdicts;
        this.reason = reason;
        workload = facts.workload();
        template = States.digests(workload);
    }

    Decision.Restart build() {
        for (int i = 0; i < verdicts.size(); i++) {
            Verdict verdict = verdicts.get(i);
            if (facts.containers().get(verdict.container()) instanceof ContainerFacts.Tracked tracked
                    && tracked.answer() instanceof Answer.Resolved answer) {
                add(
                        workload.containers().get(i),
                        verdict,
                        tracked,
                        answer.digest().toString());
            }
        }
        Restart patch = new Restart(
                        new DigestsAnnotation(digests),
                        new WorkloadState(states, Optional.empty()),
                        facts.now(),
                        images)
                .because(Workload.OUR_CAUSE + cause());
        return new Decision.Restart(reason, changes, patch, warnings);
    }

    /** The cause of the new revision, in short, for example {@code r.example/app:1 moved to sha256:0123456789ab}. */
    private String cause() {
        return changes.isEmpty()
                ? States.said(reason)
                : States.said(changes.stream()
                        .map(change -> change.reference() + " moved to " + Brief.digest(change.to()))
                        .distinct()
                        .collect(Collectors.joining("; ")));
    }

    private void add(Container container, Verdict verdict, ContainerFacts.Tracked tracked, String digest) {
        String name = container.name();
        String reference = tracked.reference().toString();
        ContainerState state = States.of(before, name, reference);
        Optional<String> acted = template.digest(name, reference);
        boolean stale = verdict.kind() == Kind.STALE;
        if (stale) {
            Optional<String> from = acted.or(tracked::remembered)
                    .or(state::acted)
                    .or(() -> verdict.running().stream().sorted().findFirst())
                    .filter(past -> !past.equals(digest));
            changes.add(new Decision.Change(name, reference, from, digest));
            warnAtTheFirst(container, state);
        }
        digests.put(name, reference + "@" + digest);
        Optional<String> opponent =
                Pin.opponent(workload, container, state, facts.policy().policy());
        states.put(
                name,
                opponent.isPresent()
                        ? notPinned(
                                state(state, acted, tracked, verdict, digest, state.originalImage()), state, opponent)
                        : state(state, acted, tracked, verdict, digest, image(container, digest)));
    }

    /** Somebody puts the tag back: this container's digest is not what is rolled out, and that is remembered. */
    private static ContainerState notPinned(ContainerState next, ContainerState before, Optional<String> opponent) {
        return new ContainerState(
                next.reference(),
                next.acted(),
                before.actedAt(),
                next.replaced(),
                next.acted(),
                opponent,
                next.failed(),
                next.failure(),
                next.originalImage());
    }

    private ContainerState state(
            ContainerState state,
            Optional<String> acted,
            ContainerFacts.Tracked tracked,
            Verdict verdict,
            String digest,
            Optional<String> original) {
        boolean stays = state.acted().equals(Optional.of(digest));
        TreeSet<String> replaced = new TreeSet<>(verdict.running());
        acted.ifPresent(replaced::add);
        state.acted().ifPresent(replaced::add);
        tracked.remembered().ifPresent(replaced::add);
        if (stays) {
            replaced.addAll(state.replaced());
        }
        if (tracked.content() instanceof Content.Known known) {
            replaced.removeAll(known.digests());
        }
        replaced.remove(digest);
        boolean sameFailure = state.failed().equals(Optional.of(digest));
        Optional<Instant> actedAt = stays && verdict.kind() != Kind.STALE ? state.actedAt() : Optional.of(facts.now());
        return new ContainerState(
                state.reference(),
                Optional.of(digest),
                actedAt,
                List.copyOf(replaced),
                Optional.empty(),
                Optional.empty(),
                sameFailure ? state.failed() : Optional.empty(),
                sameFailure ? state.failure().map(States::said) : Optional.empty(),
                original);
    }

    /** Pins, moves a pin to the new digest, or removes it; the text before the pin must be remembered. */
    private Optional<String> image(Container container, String digest) {
        Optional<String> pinned = Pin.originalText(workload, before, container);
        String original = pinned.orElse(container.image());
        boolean pin = Pin.wanted(facts.policy().policy(), container);
        String image = pin ? Pin.text(original, digest) : original;
        if (!image.equals(container.image())) {
            images.put(container.name(), image);
        }
        return pin ? Optional.of(original) : Optional.empty();
    }

    private void warnAtTheFirst(Container container, ContainerState state) {
        if (!container.pullPolicy().equals("Always")
                && state.acted().isEmpty()
                && !Pin.wanted(facts.policy().policy(), container)) {
            warnings.add("container " + container.name() + ": imagePullPolicy is " + container.pullPolicy()
                    + ", so a restart does not bring the new image to nodes that have the old one;"
                    + " set imagePullPolicy: Always, or annotate the workload with urunner.io/if-not-always: pin");
        }
    }
}
