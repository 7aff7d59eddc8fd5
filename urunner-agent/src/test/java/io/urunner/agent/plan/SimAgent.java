package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An agent reduced to its sequence of steps: look, ask, plan and act, remember; and judge the rollout that it finds
 * complete. It can be killed between any two of them. It keeps the content of a digest, and never asks for it again.
 */
final class SimAgent {
    private final World world;

    private TagWatch watch = TagWatch.unknown();
    private Verdict.Kind said = Verdict.Kind.UNRESOLVED;
    private Optional<Deferral> cause = Optional.empty();
    private int step;
    private Optional<Workload> snapshot = Optional.empty();
    private Instant seen = Instant.EPOCH;
    private Optional<String> toRemember = Optional.empty();
    private final Map<String, Content.Known> contents = new HashMap<>();
    private int lives = 1;

    SimAgent(World world) {
        this.world = world;
        watch = TagWatch.of(world.history);
    }

    void kill() {
        watch = TagWatch.of(world.history);
        step = 0;
        toRemember = Optional.empty();
        contents.clear();
        lives++;
    }

    /** How often it was started, which is how often it may ask for the same. */
    int lives() {
        return lives;
    }

    void pass() {
        do {
            step();
        } while (step != 0);
    }

    /** One of the four steps of a pass; what it learned in the earlier ones may be outdated by now. */
    void step() {
        switch (step) {
            case 0 -> look();
            case 1 -> ask(world.head());
            case 2 -> planAndAct(false);
            default -> remember();
        }
        step = (step + 1) % 4;
    }

    /** A pass in which a lagging replica gives the answer. */
    void laggingPass() {
        look();
        ask(world.lagging());
        planAndAct(false);
        remember();
        step = 0;
    }

    /** A change of the pods makes the agent plan again with the answer that it has. */
    void replan() {
        look();
        planAndAct(false);
    }

    /** The patch takes effect, but its answer is lost, and the agent dies. */
    void losesTheAnswer() {
        look();
        ask(world.head());
        planAndAct(true);
        kill();
    }

    /** Whether only another answer of the registry can decide: then an agent asks before its next pass. */
    boolean wantsToLook() {
        return cause.equals(Optional.of(Deferral.ANSWER_TOO_OLD));
    }

    boolean says(Verdict.Kind kind) {
        return said == kind;
    }

    private void look() {
        snapshot = Optional.of(world.snapshot());
        seen = world.tick();
    }

    private void ask(String digest) {
        watch = watch.see(Digest.parse(digest), world.tick());
    }

    private void planAndAct(boolean once) {
        for (int attempt = 0; attempt < 3; attempt++) {
            Workload planned = snapshot.orElseThrow();
            Planner planner = planner(planned);
            if (!planner.unread().isEmpty()) {
                planner.unread()
                        .forEach(image -> read(image.digest().orElseThrow().toString()));
                planner = planner(planned);
                assertThat(planner.unread()).as("once what it needs was read").isEmpty();
            }
            Plan plan = planner.plan();
            said = plan.verdicts().get(0).kind();
            cause = plan.verdicts().get(0).cause();
            toRemember = Optional.ofNullable(plan.remember().get("app"))
                    .map(image -> image.digest().toString());
            boolean done = true;
            if (plan.decision() instanceof Decision.Restart restart) {
                done = world.rollOut(planned, restart);
            } else if (plan.state().isPresent()) {
                done = world.write(planned, plan.state().get());
            }
            if (done || once) {
                judge(planned);
                return;
            }
            toRemember = Optional.empty();
            look();
        }
    }

    /** The plan needs the content of the tag's digest; the rollout, that of the one that it was started for. */
    private void judge(Workload workload) {
        if (!workload.rollout().observed() || !workload.rollout().complete()) {
            return;
        }
        unread(workload).forEach(image -> read(image.digest()));
        assertThat(unread(workload)).as("once what it needs was read").isEmpty();
    }

    private List<ImageDigest> unread(Workload workload) {
        return Verification.unread(
                new RolloutOutcome.Succeeded(), Optional.of(workload), image -> content(image.digest()));
    }

    private Content content(String digest) {
        Content.Known known = contents.get(digest);
        return known == null ? new Content.Unread() : known;
    }

    private void read(String digest) {
        contents.put(digest, world.content(digest));
    }

    private Planner planner(Workload workload) {
        Answer answer = watch.answer();
        Content content = answer instanceof Answer.Resolved resolved
                ? content(resolved.digest().toString())
                : new Content.Unread();
        ContainerFacts.Tracked facts =
                new ContainerFacts.Tracked(ImageReference.parse(World.REF), answer, content, world.remembered);
        return Planner.of(new Facts(
                workload,
                seen,
                new Policy.Reading(world.policy(), List.of()),
                Map.of("app", facts),
                Map.of(),
                Optional.empty(),
                world.tick()));
    }

    private void remember() {
        toRemember.ifPresent(digest -> world.remembered = Optional.of(digest));
        watch.counted().ifPresent(world::write);
    }
}
