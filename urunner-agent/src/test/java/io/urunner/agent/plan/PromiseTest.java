package io.urunner.agent.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.plan.World.Nodes;
import io.urunner.agent.plan.World.Runtime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The promise, tested against a model of the world: at most one rollout per observed move of the tag, the last digest
 * always arrives, a change that was reverted is not fought, and the registry is asked for the content of a digest once,
 * whatever the order of pushes, passes, kills, lost answers and lost stores.
 */
class PromiseTest {
    /** What can happen. */
    private enum Event {
        PUSH,
        PUSH_BROKEN,
        PUSH_AGAIN,
        PASS,
        STEP,
        OTHER_STEP,
        REPLAN,
        LAGGING_PASS,
        KILL,
        LOSE_STORE,
        LOSE_ANSWER,
        UNDO,
        PUT_BACK,
        CONTROL,
        SETTLE,
        LOSE_POD,
        SCALE_DOWN,
        SCALE_UP
    }

    private static final List<Event> ANY = Arrays.stream(Event.values())
            .filter(event -> event != Event.LAGGING_PASS && event != Event.PUT_BACK)
            .toList();
    private static final int SCHEDULES = 800;
    private static final int LENGTH = 40;

    @ParameterizedTest
    @EnumSource(names = {"INDEX", "CHILD", "CONFIG"})
    void holdsForRandomSchedules(Runtime runtime) {
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Random random = new Random(seed);
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < LENGTH; i++) {
                events.add(ANY.get(random.nextInt(ANY.size())));
            }
            new Run(runtime, Nodes.PULL, events, "seed " + seed).check();
        }
    }

    @Test
    void holdsForEveryShortSchedule() {
        List<Event> alphabet = List.of(
                Event.PUSH,
                Event.PUSH_AGAIN,
                Event.PASS,
                Event.STEP,
                Event.OTHER_STEP,
                Event.KILL,
                Event.LOSE_ANSWER,
                Event.UNDO,
                Event.CONTROL);
        int length = 4;
        int all = (int) Math.pow(alphabet.size(), length);
        for (int number = 0; number < all; number++) {
            List<Event> events = new ArrayList<>();
            for (int rest = number, i = 0; i < length; i++, rest /= alphabet.size()) {
                events.add(alphabet.get(rest % alphabet.size()));
            }
            new Run(Runtime.INDEX, Nodes.PULL, events, "number " + number).check();
        }
    }

    /** A registry with several replicas, one of which lags behind and answers now and then. */
    @Test
    void holdsForAReplicaThatLagsBehind() {
        List<Event> alphabet = List.of(
                Event.PUSH, Event.PASS, Event.LAGGING_PASS, Event.CONTROL, Event.SETTLE, Event.KILL, Event.LOSE_ANSWER);
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Random random = new Random(seed);
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < LENGTH; i++) {
                events.add(alphabet.get(random.nextInt(alphabet.size())));
                if (events.get(i) == Event.LAGGING_PASS || events.get(i) == Event.PUSH) {
                    events.add(
                            Event.PASS); // never the lagging replica alone twice in a row, nor before a push was seen
                    i++;
                }
            }
            new Run(Runtime.INDEX, Nodes.PULL, events, "seed " + seed).check();
        }
    }

    @Test
    void withoutReadableEvidenceEveryMoveStillArrivesOnceWhileTheStoreLasts() {
        List<Event> alphabet = List.of(
                Event.PUSH,
                Event.PASS,
                Event.STEP,
                Event.REPLAN,
                Event.CONTROL,
                Event.SETTLE,
                Event.KILL,
                Event.LOSE_ANSWER);
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Random random = new Random(seed);
            List<Event> events = new ArrayList<>(List.of(Event.PASS));
            for (int i = 0; i < LENGTH; i++) {
                events.add(alphabet.get(random.nextInt(alphabet.size())));
            }
            new Run(Runtime.UNREADABLE, Nodes.PULL, events, "seed " + seed).check();
        }
    }

    @Test
    void ifTheNodesDoNotPullEveryMoveIsRolledOutOnceAndTheDiagnosisIsGiven() {
        List<Event> alphabet = List.of(
                Event.PUSH,
                Event.PASS,
                Event.STEP,
                Event.REPLAN,
                Event.CONTROL,
                Event.SETTLE,
                Event.KILL,
                Event.LOSE_ANSWER,
                Event.LOSE_STORE,
                Event.UNDO);
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Random random = new Random(seed);
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < LENGTH; i++) {
                events.add(alphabet.get(random.nextInt(alphabet.size())));
            }
            new Run(Runtime.INDEX, Nodes.KEEP, events, "seed " + seed).check();
        }
    }

    /** A tool that applies its manifest now and then, and so reverts every pin. */
    @Test
    void aPinThatAToolRevertsIsMadeOnceAndNeverFoughtOver() {
        List<Event> alphabet = List.of(
                Event.PUSH,
                Event.PUSH_AGAIN,
                Event.PASS,
                Event.STEP,
                Event.OTHER_STEP,
                Event.REPLAN,
                Event.CONTROL,
                Event.SETTLE,
                Event.KILL,
                Event.LOSE_ANSWER,
                Event.LOSE_STORE,
                Event.PUT_BACK);
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Random random = new Random(seed);
            List<Event> events = new ArrayList<>();
            for (int i = 0; i < LENGTH; i++) {
                events.add(alphabet.get(random.nextInt(alphabet.size())));
            }
            new Run(Runtime.INDEX, Nodes.PINNED, events, "seed " + seed).check();
        }
    }

    /** One schedule. */
    private static final class Run {
        private final World world;
        private final SimAgent agent;
        private final SimAgent other;
        private final List<Event> events;
        private final String name;
        private int back;

        Run(Runtime runtime, Nodes nodes, List<Event> events, String name) {
            world = new World(runtime, nodes);
            agent = new SimAgent(world);
            other = new SimAgent(world);
            this.events = events;
            this.name = name + ", " + runtime + " "
                    + events.stream().map(Enum::name).collect(Collectors.joining(" "));
        }

        void check() {
            for (Event event : events) {
                happens(event);
                invariants();
            }
            comesToRest();
            invariants();
            theLastDigestArrived();
            staysAtRest();
        }

        private void happens(Event event) {
            switch (event) {
                case PUSH -> world.pushNew(false);
                case PUSH_BROKEN -> world.pushNew(true);
                case PUSH_AGAIN -> world.pushOld(back++ % 3);
                case PASS -> agent.pass();
                case STEP -> agent.step();
                case OTHER_STEP -> other.step();
                case LAGGING_PASS -> agent.laggingPass();
                case REPLAN -> agent.replan();
                case KILL -> agent.kill();
                case LOSE_STORE -> {
                    world.remembered = Optional.empty();
                    world.history = List.of();
                }
                case LOSE_ANSWER -> agent.losesTheAnswer();
                case UNDO -> world.undo();
                case PUT_BACK -> world.putBack();
                case CONTROL -> world.control();
                case SETTLE -> world.settle();
                case LOSE_POD -> world.losePod();
                case SCALE_DOWN -> world.scale(0);
                case SCALE_UP -> world.scale(1);
            }
        }

        private void comesToRest() {
            world.scale(1);
            for (int i = 0; i < 4; i++) {
                world.settle();
                agent.pass();
            }
            world.settle();
        }

        private void invariants() {
            assertThat(world.rollouts().size())
                    .as(() -> "one rollout per observed move: rollouts " + world.rollouts() + ", observed "
                            + world.observed() + ", " + name)
                    .isLessThanOrEqualTo(world.moves());
            assertThat(world.rolloutsAgainstTheUndo())
                    .as(() -> "what was reverted is not rolled out again: " + name)
                    .isZero();
            assertThat(world.rolloutsAgainstTheTool())
                    .as(() -> "what a tool reverts is not pinned again: " + name)
                    .isZero();
            int lives = agent.lives() + other.lives();
            assertThat(world.contentQuestions())
                    .as(() -> "the content of a digest is requested once by each of " + lives + " agents: " + name)
                    .allSatisfy((digest, times) -> {
                        assertThat(world.observed()).contains(digest);
                        assertThat(times).isLessThanOrEqualTo(lives);
                    });
        }

        /**
         * Two cases are left to people, and reported to them, both of a tag that moved away and came back while no agent was
         * running: to what our last rollout replaced, while a pod was created; or to another digest, after an undo.
         */
        private void theLastDigestArrived() {
            assertThat(world.runs().equals(Optional.of(world.tag()))
                            || world.isTakenBack()
                            || (agent.says(Verdict.Kind.REJECTED) && world.isPutBack())
                            || (agent.says(Verdict.Kind.STILL_OLD) && world.mayStillBeOld())
                            || (agent.says(Verdict.Kind.REJECTED) && world.wasTakenBackBefore()))
                    .as(() -> "runs " + world.runs() + ", the tag is " + world.tag() + ", observed " + world.observed()
                            + ", rollouts " + world.rollouts() + ", " + name)
                    .isTrue();
        }

        private void staysAtRest() {
            int before = world.rollouts().size();
            agent.pass();
            asksOnceMoreAndForNothingElse();
            agent.kill();
            world.remembered = Optional.empty();
            world.history = List.of();
            agent.pass();
            agent.pass();
            assertThat(world.rollouts().size())
                    .as(() -> "at rest nothing is rolled out: " + name)
                    .isEqualTo(before);
            asksOnceMoreAndForNothingElse();
        }

        /** At rest, a pass costs one question, and leads to no others. */
        private void asksOnceMoreAndForNothingElse() {
            int tag = world.tagQuestions();
            Map<String, Integer> contents = Map.copyOf(world.contentQuestions());
            agent.pass();
            agent.replan();
            assertThat(world.tagQuestions())
                    .as(() -> "questions for the tag: " + name)
                    .isEqualTo(tag + 1);
            assertThat(world.contentQuestions())
                    .as(() -> "questions for the content of digests: " + name)
                    .isEqualTo(contents);
            assertThat(agent.wantsToLook())
                    .as(() -> "wants to look again: " + name)
                    .isFalse();
        }
    }
}
