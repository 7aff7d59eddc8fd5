package io.urunner.agent.plan;

import io.urunner.kube.Workload;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An agent reduced to its order of steps: look, ask, plan and act, remember. It can be killed between any two of them. */
final class SimAgent {
    private final World world;

    private TagWatch watch = TagWatch.unknown();
    private Verdict.Kind said = Verdict.Kind.UNRESOLVED;
    private int step;
    private Optional<Workload> snapshot = Optional.empty();
    private Instant seen = Instant.EPOCH;
    private Optional<String> toRemember = Optional.empty();

    SimAgent(World world) {
        this.world = world;
        watch = TagWatch.of(world.history);
    }

    void kill() {
        watch = TagWatch.of(world.history);
        step = 0;
        toRemember = Optional.empty();
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
            Plan plan = plan(planned, new Expansion.NotFetched());
            if (plan.decision() instanceof Decision.NeedsExpansion needs) {
                plan = plan(planned, World.content(needs.needed().get(0).digest()));
            }
            said = plan.verdicts().get(0).kind();
            toRemember = Optional.ofNullable(plan.remember().get("app")).map(Plan.Remembered::digest);
            boolean done = true;
            if (plan.decision() instanceof Decision.Restart restart) {
                done = world.rollOut(planned, restart);
            } else if (plan.state().isPresent()) {
                done = world.write(planned, plan.state().get());
            }
            if (done || once) {
                return;
            }
            toRemember = Optional.empty();
            look();
        }
    }

    private Plan plan(Workload workload, Expansion expansion) {
        ContainerFacts.Tracked facts =
                new ContainerFacts.Tracked(World.REF, watch.answer(), expansion, world.remembered);
        return Planner.plan(new Facts(
                workload,
                seen,
                new Policy.Reading(Policy.DEFAULT, List.of()),
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
