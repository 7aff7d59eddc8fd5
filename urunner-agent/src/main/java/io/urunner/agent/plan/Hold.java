package io.urunner.agent.plan;

import io.urunner.agent.text.Phrases;
import io.urunner.kube.Container;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadState;
import io.urunner.kube.WorkloadState.ContainerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Determines whether a workload is held. A hold ends by hand; by itself when the tag moves past the rejected digest, if so
 * requested; or when somebody changes the image of a pinned container.
 *
 * @param holds whether nothing may be rolled out
 * @param words why, for people
 * @param state the workload's state without a hold that has ended
 * @param notices what ended the hold, or works against it, to be reported once
 */
record Hold(boolean holds, String words, WorkloadState state, List<String> notices) {
    static Hold of(Facts facts, WorkloadState state) {
        if (state.hold().isEmpty()) {
            return new Hold(false, "", state, List.of());
        }
        WorkloadState.Hold held = state.hold().get();
        List<String> edited = edited(facts.workload(), state);
        if (!edited.isEmpty()) {
            return new Hold(
                    false,
                    "",
                    withoutPins(state, edited),
                    List.of("the hold of " + Phrases.time(held.since()) + " by " + held.by() + " ended: "
                            + States.lastManager(facts.workload()) + " changed the image of "
                            + String.join(", ", edited)));
        }
        if (held.untilNextPush() && movedPast(facts, state)) {
            return new Hold(
                    false,
                    "",
                    new WorkloadState(state.containers(), Optional.empty()),
                    List.of("the hold of " + Phrases.time(held.since()) + " by " + held.by()
                            + " ended: the tag moved past the digest that was rolled back"));
        }
        List<String> putBack = putBack(facts.workload(), state);
        return new Hold(true, words(facts.workload(), held, putBack), state, putBack);
    }

    private static String words(Workload workload, WorkloadState.Hold held, List<String> putBack) {
        StringBuilder words = new StringBuilder("held since " + Phrases.time(held.since()) + " by " + held.by()
                + held.reason().map(why -> " because " + why).orElse("")
                + (held.untilNextPush() ? " until the next push" : ""));
        putBack.forEach(each -> words.append("; ").append(each));
        return words.append("; 'urunner resume ")
                .append(workload.id())
                .append("' ends it")
                .toString();
    }

    /** What a GitOps tool undid: it is reported, not fought. */
    private static List<String> putBack(Workload workload, WorkloadState state) {
        List<String> words = new ArrayList<>();
        for (Container container : workload.containers()) {
            original(state, container)
                    .filter(container.image()::equals)
                    .ifPresent(tag -> words.add(States.lastManager(workload) + " put the tag back into container "
                            + container.name() + " of the held workload, so its new pods run whatever " + tag
                            + " points to"));
        }
        return words;
    }

    /** The pinned containers that no longer have our pin or their original text. */
    private static List<String> edited(Workload workload, WorkloadState state) {
        List<String> edited = new ArrayList<>();
        for (Container container : workload.containers()) {
            ContainerState written = state.containers().get(container.name());
            if (written != null
                    && written.originalImage()
                            .filter(text -> !text.equals(container.image()))
                            .isPresent()
                    && !Pin.stands(container, written)) {
                edited.add(container.name());
            }
        }
        return edited;
    }

    private static Optional<String> original(WorkloadState state, Container container) {
        return Optional.ofNullable(state.containers().get(container.name())).flatMap(ContainerState::originalImage);
    }

    private static WorkloadState withoutPins(WorkloadState state, List<String> edited) {
        WorkloadState next = new WorkloadState(state.containers(), Optional.empty());
        for (Map.Entry<String, ContainerState> entry : state.containers().entrySet()) {
            if (edited.contains(entry.getKey())) {
                next = States.with(next, entry.getKey(), States.unpinned(entry.getValue()));
            }
        }
        return next;
    }

    private static boolean movedPast(Facts facts, WorkloadState state) {
        return facts.containers().entrySet().stream()
                .anyMatch(entry -> entry.getValue() instanceof ContainerFacts.Tracked tracked
                        && tracked.answer() instanceof Answer.Resolved answer
                        && answer.counts()
                        && movedPast(
                                States.of(
                                        state,
                                        entry.getKey(),
                                        tracked.reference().toString()),
                                answer.digest().toString()));
    }

    private static boolean movedPast(ContainerState state, String digest) {
        return state.rejected().isPresent()
                && !state.rejected().get().equals(digest)
                && !state.acted().equals(Optional.of(digest));
    }
}
