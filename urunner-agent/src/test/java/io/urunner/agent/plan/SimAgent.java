package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.RolloutOutcome;
import io.urunner.kube.Workload;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An agent reduced to its order of steps: look, ask, plan and act, remember; and judge the rollout that it finds complete.
 * It can be killed between any two of them. What it has been told is behind a digest it keeps, and never asks for again.
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
    private final Map<String, Expansion.Known> contents = new HashMap<>();
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

    /** How often it was started: so often it may ask for the same. */
    int lives() {
        return lives;
    }

    void pass() {
        do {
            step();
        } while (step != 0);
    }

    /** One of the four steps of a pass; what it learnt in the earlier ones may be old by now. */
    void step() {
        switch (step) {
            case 0 -> look();
            case 1 -> ask(world.head());
            case 2 -> planAndAct(false);
            default -> remember();
        }
        step = (step + 1) % 4;
    }

    /** A pass in which a replica that lags behind gives the answer. */
    void laggingPass() {
        look();
        ask(world.lagging());
        planAndAct(false);
        remember();
        step = 0;
    }

    /** A change of the pods makes the agent plan again on the answer that it has. */
    void replan() {
        look();
        planAndAct(false);
    }

    /** The patch takes effect, but its answer is lost, and the agent dies over it. */
    void losesTheAnswer() {
        look();
        ask(world.head());
        planAndAct(true);
        kill();
    }

    /** Whether only another answer of the registry can tell: then an agent asks before its next pass. */
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
        watch = watch.see(digest, world.tick());
    }

    private void planAndAct(boolean once) {
        for (int attempt = 0; attempt < 3; attempt++) {
            Workload planned = snapshot.orElseThrow();
            Plan plan = plan(planned);
            if (plan.decision() instanceof Decision.NeedsExpansion needs) {
                fetch(needs.needed());
                plan = plan(planned);
                assertThat(plan.decision())
                        .as("a plan that was told what it needs")
                        .isNotInstanceOf(Decision.NeedsExpansion.class);
            }
            said = plan.verdicts().get(0).kind();
            cause = plan.verdicts().get(0).cause();
            toRemember = Optional.ofNullable(plan.remember().get("app")).map(Plan.Remembered::digest);
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

    /** The plan wants to know what is behind the tag's digest; the rollout, what is behind the one that it was started for. */
    private void judge(Workload workload) {
        if (!workload.rollout().observed() || !workload.rollout().complete()) {
            return;
        }
        Outcome outcome = outcome(workload);
        if (outcome instanceof Outcome.NeedsExpansion needs) {
            fetch(needs.needed());
            assertThat(outcome(workload))
                    .as("a verdict on a rollout that was told what it needs")
                    .isNotInstanceOf(Outcome.NeedsExpansion.class);
        }
    }

    private Outcome outcome(Workload workload) {
        return Verification.judge(
                new RolloutOutcome.Succeeded(), Optional.of(workload), image -> content(image.digest()));
    }

    private Expansion content(String digest) {
        Expansion.Known known = contents.get(digest);
        return known == null ? new Expansion.NotFetched() : known;
    }

    private void fetch(Collection<ImageDigest> needed) {
        needed.forEach(image -> contents.put(image.digest(), world.content(image.digest())));
    }

    private Plan plan(Workload workload) {
        Answer answer = watch.answer();
        Expansion expansion =
                answer instanceof Answer.Resolved resolved ? content(resolved.digest()) : new Expansion.NotFetched();
        ContainerFacts.Tracked facts = new ContainerFacts.Tracked(World.REF, answer, expansion, world.remembered);
        return Planner.plan(new Facts(
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
