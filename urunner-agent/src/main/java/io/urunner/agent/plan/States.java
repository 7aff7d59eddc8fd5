package io.urunner.agent.plan;

import io.urunner.agent.text.Printable;
import io.urunner.kube.DigestsAnnotation;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads what we have written on workloads. */
final class States {
    private static final DigestsAnnotation NO_DIGESTS = new DigestsAnnotation(Collections.emptySortedMap());

    /** The longest text that we write into an annotation. */
    private static final int LONGEST_TEXT = 512;

    private static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);

    private States() {}

    static WorkloadState of(Workload workload) {
        return Optional.ofNullable(workload.annotations().get(Workload.STATE))
                .flatMap(WorkloadState::parse)
                .orElse(WorkloadState.EMPTY);
    }

    static DigestsAnnotation digests(Workload workload) {
        return Optional.ofNullable(workload.templateAnnotations().get(Workload.DIGESTS))
                .flatMap(DigestsAnnotation::parse)
                .orElse(NO_DIGESTS);
    }

    /** What was done for a container with this reference; what was done for another reference does not count. */
    static ContainerState of(WorkloadState state, String container, String reference) {
        ContainerState found = state.containers().get(container);
        return found != null && found.reference().equals(reference) ? found : empty(reference);
    }

    static ContainerState empty(String reference) {
        return new ContainerState(
                reference,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    static WorkloadState with(WorkloadState state, String container, ContainerState next) {
        SortedMap<String, ContainerState> containers = new TreeMap<>(state.containers());
        containers.put(container, next);
        return new WorkloadState(containers, state.hold());
    }

    /** Text from others, as we write it into an annotation. */
    static String said(String text) {
        return Printable.line(text, LONGEST_TEXT);
    }

    static ContainerState rejected(ContainerState state, Optional<String> digest, Optional<String> by) {
        return new ContainerState(
                state.reference(),
                state.acted(),
                state.actedAt(),
                state.replaced(),
                digest,
                by.map(States::said),
                state.failed(),
                state.failure(),
                state.originalImage());
    }

    static ContainerState failed(ContainerState state, Optional<String> digest, Optional<String> failure) {
        return new ContainerState(
                state.reference(),
                state.acted(),
                state.actedAt(),
                state.replaced(),
                state.rejected(),
                state.rejectedBy(),
                digest,
                failure.map(States::said),
                state.originalImage());
    }

    static ContainerState healed(ContainerState state) {
        return failed(state, Optional.empty(), Optional.empty());
    }

    static ContainerState unpinned(ContainerState state) {
        return pinned(state, Optional.empty());
    }

    static ContainerState pinned(ContainerState state, Optional<String> originalImage) {
        return new ContainerState(
                state.reference(),
                state.acted(),
                state.actedAt(),
                state.replaced(),
                state.rejected(),
                state.rejectedBy(),
                state.failed(),
                state.failure(),
                originalImage);
    }

    /** Whether a time is so far in the future that it says nothing. */
    static boolean isOfAWrongClock(Instant at, Instant now) {
        return at.isAfter(now.plus(CLOCKS_DIFFER));
    }

    /** The containers whose digest our last rollout brought; what it found up to date is not among them. */
    static SortedMap<String, ContainerState> brought(WorkloadState state) {
        SortedMap<String, ContainerState> brought = new TreeMap<>(state.containers());
        Optional<Instant> last = state.lastAct();
        brought.values()
                .removeIf(container -> last.isEmpty()
                        || !container.actedAt().equals(last)
                        || container.replaced().isEmpty());
        return brought;
    }

    /** Who last changed the template since we acted, apart from us. */
    static String lastManager(Workload workload) {
        return workload.templateManagers().stream()
                .filter(manager -> !manager.equals("urunner"))
                .findFirst()
                .orElse("an unknown field manager");
    }
}
