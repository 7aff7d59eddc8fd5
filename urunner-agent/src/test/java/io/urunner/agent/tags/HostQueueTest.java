package io.urunner.agent.tags;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.ManualLoop;
import io.urunner.agent.plan.Deferral;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HostQueueTest {
    private static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final Resolution FOUND =
            new Resolution.Found(new Descriptor("application/json", Digest.parse("sha256:" + "1".repeat(64)), 100));
    private static final Resolution DOWN =
            new Resolution.Unreachable(new Resolution.Problem(Deferral.REGISTRY_UNREACHABLE, "refused"));

    private final ManualLoop loop = new ManualLoop();
    private final Registry registry = new Registry();
    private final HostQueue queue = new HostQueue("r.example", INTERVAL, 4, loop, loop, registry);

    private final List<String> read = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();
    private final List<Runnable> heldReads = new ArrayList<>();
    private boolean holdReads;
    private @Nullable RegistryException readFailure;
    private @Nullable RuntimeException readError;

    @Test
    void asksEveryReferenceOncePerInterval() {
        start(3);
        assertThat(registry.asked).containsExactlyInAnyOrder(reference(0), reference(1), reference(2));
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(registry.asked).hasSize(9);
        assertThat(registry.passes).isEqualTo(3);
    }

    @Test
    void asksOneAtATimeUntilTheHostAnsweredAndThenSeveralAtOnce() {
        registry.hold();
        start(10);
        assertThat(registry.asked).hasSize(1);
        registry.answerNext(FOUND);
        loop.settle();
        assertThat(registry.asked).hasSize(5);
    }

    @Test
    void doublesTheIntervalWhileTheHostFailsUpToTenMinutes() {
        registry.outcome = any -> DOWN;
        track(1);
        queue.start();
        loop.advance(Duration.ofSeconds(4));
        assertThat(registry.asked).hasSize(1);
        for (int seconds = 10; seconds < 600; seconds *= 2) {
            int before = registry.asked.size();
            loop.advance(Duration.ofSeconds(seconds));
            assertThat(registry.asked).hasSize(before + 1);
        }
        int before = registry.asked.size();
        loop.advance(Duration.ofHours(1));
        assertThat(registry.asked).hasSize(before + 6);
    }

    @Test
    void givesAHostThatIsDownOneQuestionHoweverManyReferencesThereAre() {
        start(50);
        registry.outcome = any -> DOWN;
        int before = registry.asked.size();
        loop.advance(INTERVAL);
        assertThat(registry.asked).hasSize(before + 2);
        loop.advance(Duration.ofSeconds(10));
        assertThat(registry.asked).hasSize(before + 3);
    }

    @Test
    void returnsToTheIntervalOnceTheHostAnswersAgain() {
        track(3);
        registry.outcome = any -> DOWN;
        queue.start();
        loop.settle();
        registry.outcome = any -> FOUND;
        registry.asked.clear();
        loop.advance(Duration.ofSeconds(10));
        assertThat(registry.asked).hasSize(3);
        loop.advance(INTERVAL);
        assertThat(registry.asked).hasSize(6);
        assertThat(queue.status().healthy()).isTrue();
    }

    @Test
    void aReferenceThatFailsAloneIsAskedLessOftenAndTheOthersAsBefore() {
        track(3);
        registry.outcome = reference -> reference.equals(reference(1)) ? DOWN : FOUND;
        queue.start();
        loop.advance(Duration.ofSeconds(42));
        assertThat(registry.asked.stream().filter(reference(0)::equals)).hasSize(9);
        assertThat(registry.asked.stream().filter(reference(1)::equals)).hasSize(3);
    }

    @Test
    void waitsUntilTheRegistryMayBeAskedAgain() {
        Instant until = loop.instant().plusSeconds(100);
        registry.outcome = any ->
                new Resolution.RateLimited(new Resolution.Problem(Deferral.RATE_LIMITED, "429"), Optional.of(until));
        track(5);
        queue.start();
        loop.advance(Duration.ofSeconds(99));
        assertThat(registry.asked).hasSize(1);
        registry.outcome = any -> FOUND;
        loop.advance(Duration.ofSeconds(2));
        assertThat(registry.asked).hasSize(6);
    }

    @Test
    void sendsNoMoreThanTheLimitLeavesAndSpreadsTheRest() {
        track(50);
        registry.allow(5, Duration.ofHours(1));
        queue.start();
        loop.advance(Duration.ofMinutes(59));
        assertThat(registry.asked).hasSizeBetween(3, 5).doesNotHaveDuplicates();
        loop.advance(Duration.ofMinutes(2));
        assertThat(registry.asked).hasSizeGreaterThanOrEqualTo(50);
    }

    @Test
    void aUsedUpLimitReportsTheBeginningAndTheEndOfItsWait() {
        Instant begun = loop.instant();
        Instant resets = begun.plus(Duration.ofHours(6));
        track(1);
        registry.allowance = Optional.of(new WatchedRegistry.Allowance(1, resets));
        queue.start();
        loop.settle();
        HostStatus.Wait wait = queue.waits(Asker.EVERYBODY).orElseThrow();
        assertThat(wait.cause()).isEqualTo(Deferral.RATE_LIMITED);
        assertThat(wait.why()).contains("used up");
        assertThat(wait.since()).isEqualTo(begun);
        assertThat(wait.until()).isEqualTo(resets);
        assertThat(queue.status().waits()).containsExactly(wait);
        assertThat(queue.next(question(0))).contains(resets);
        assertThat(queue.restsUntil(question(0))).contains(resets);

        loop.advance(Duration.ofHours(5));
        assertThat(queue.waits(Asker.EVERYBODY)).contains(wait);
        loop.advance(Duration.ofHours(1).plusSeconds(1));
        assertThat(registry.asked).hasSize(2);
        assertThat(queue.status().waits()).isEmpty();

        Instant again = loop.instant();
        registry.allowance = Optional.of(new WatchedRegistry.Allowance(1, again.plus(Duration.ofHours(6))));
        loop.advance(INTERVAL);
        assertThat(queue.waits(Asker.EVERYBODY).orElseThrow().since()).isAfter(again);
    }

    @Test
    void askingLessOftenReportsHowManyRequestsAreLeft() {
        track(50);
        registry.allow(10, Duration.ofHours(6));
        queue.start();
        loop.settle();
        assertThat(queue.waits(Asker.EVERYBODY).orElseThrow().words())
                .matches("the registry allows \\d more requests? until \\S+Z, since \\S+Z, asked again at \\S+Z");
    }

    @Test
    void aRestingReferenceReportsWhenItIsAskedAgain() {
        track(3);
        registry.outcome = reference -> reference.equals(reference(1)) ? DOWN : FOUND;
        queue.start();
        loop.settle();
        Instant until = queue.restsUntil(question(1)).orElseThrow();
        assertThat(until).isAfter(loop.instant().plus(INTERVAL));
        assertThat(queue.next(question(1))).contains(until);
        assertThat(queue.restsUntil(question(0))).isEmpty();
    }

    @Test
    void aHostThatWasNeverAskedIsNotHealthy() {
        queue.start();
        loop.advance(INTERVAL);
        assertThat(queue.status().passes()).isPositive();
        assertThat(queue.status().asked()).isFalse();
        assertThat(queue.status().healthy()).isFalse();
        track(1);
        loop.advance(INTERVAL);
        assertThat(queue.status().asked()).isTrue();
        assertThat(queue.status().healthy()).isTrue();
        queue.untrack(question(0));
        loop.advance(INTERVAL);
        assertThat(queue.status().healthy()).isFalse();
    }

    @Test
    void asksANewReferenceAtOnceWhileTheHostIsHealthy() {
        start(1);
        queue.track(question(7));
        loop.settle();
        assertThat(registry.asked).containsExactly(reference(0), reference(7));
    }

    @Test
    void asksANewReferenceOfAFailingHostInItsNextPass() {
        track(1);
        registry.outcome = any -> DOWN;
        queue.start();
        loop.settle();
        queue.track(question(7));
        loop.settle();
        assertThat(registry.asked).containsExactly(reference(0));
    }

    @Test
    void aPassThatBecomesDueWhileANewReferenceIsAskedFollowsIt() {
        start(1);
        registry.hold();
        queue.track(question(7));
        loop.advance(INTERVAL.plusSeconds(1));
        assertThat(registry.asked).containsExactly(reference(0), reference(7));
        registry.release(FOUND);
        registry.release(FOUND);
        assertThat(registry.asked).as("what was just asked is not asked again").hasSize(3);
        loop.advance(INTERVAL);
        assertThat(registry.asked).hasSize(5);
    }

    /** A question that hangs must not prolong the period of the others, however late in a pass they were asked. */
    @Test
    void aPassThatDoesNotEndDelaysNoOtherQuestion() {
        start(3);
        registry.outcome = reference -> reference.equals(reference(2)) ? null : FOUND;
        loop.advance(INTERVAL);
        registry.asked.clear();
        for (int pass = 1; pass <= 10; pass++) {
            loop.advance(Duration.ofSeconds(1));
            queue.lookNext(question(1));
            loop.advance(INTERVAL.minusSeconds(1));
            assertThat(registry.asked.stream().filter(reference(1)::equals))
                    .as("by the hint, and by the pass")
                    .hasSize(2 * pass);
        }
        assertThat(queue.running()).isTrue();
    }

    @Test
    void aHintedReferenceIsNextInTheCurrentPass() {
        start(20);
        answerOneOfTheNextPass();
        queue.lookNext(question(19));
        registry.answerNext(FOUND);
        loop.settle();
        assertThat(registry.asked.get(registry.asked.size() - 1)).isEqualTo(reference(19));
        registry.release(FOUND);
        assertThat(registry.asked).as("once in this pass").hasSize(40);
    }

    @Test
    void everySecondQuestionIsAHintedOneWhichIsAskedOnce() {
        start(20);
        answerOneOfTheNextPass();
        List.of(17, 18, 19, 17, 16).forEach(i -> queue.lookNext(question(i)));
        queue.untrack(question(16));
        int before = registry.asked.size();
        registry.release(FOUND);
        List<ImageReference> next = registry.asked.subList(before, registry.asked.size());
        assertThat(List.of(next.get(0), next.get(2), next.get(4)))
                .containsExactly(reference(17), reference(18), reference(19));
        assertThat(registry.asked)
                .as("once in this pass, without the one untracked")
                .hasSize(39);
    }

    /** If each searched through all the others, this would be quadratic. */
    @Test
    void takesAnyNumberOfReferencesOneAfterAnother() {
        registry.hold();
        int before = 50_000;
        int all = 100_000;
        track(before);
        queue.start();
        loop.settle();
        IntStream.range(before, all).forEach(i -> queue.track(question(i)));
        IntStream.range(before / 2, before).forEach(i -> queue.untrack(question(i)));
        IntStream.range(before / 2, before).forEach(i -> queue.track(question(i)));
        registry.release(FOUND);
        assertThat(registry.asked).hasSize(all).doesNotHaveDuplicates();
    }

    @Test
    void aHintAboutAReferenceThatIsBeingAskedIsFollowedByAnotherQuestion() {
        start(1);
        registry.hold();
        loop.advance(INTERVAL);
        assertThat(registry.asked).hasSize(2);
        queue.lookNext(question(0));
        assertThat(registry.asked).hasSize(2);
        registry.release(FOUND);
        assertThat(registry.asked).hasSize(3);
    }

    @Test
    void oneFailedCheckDoesNotHoldTheHostBackAndTwoInARowDo() {
        start(1);
        registry.outcome = any -> DOWN;
        look(0);
        assertThat(queue.problem(Asker.EVERYBODY)).isEmpty();
        registry.outcome = any -> FOUND;
        look(0);
        assertThat(registry.asked).hasSize(3);
        registry.outcome = any -> DOWN;
        look(0);
        look(0);
        assertThat(queue.problem(Asker.EVERYBODY)).isPresent();
        queue.lookNext(question(0));
        loop.advance(INTERVAL.minusMillis(1));
        assertThat(registry.asked).hasSize(5);
    }

    @Test
    void aReferenceIsCheckedOncePerIntervalHoweverOftenItsWorkloadsChange() {
        start(1);
        for (int i = 0; i < 50; i++) {
            loop.advance(Duration.ofMillis(200));
            queue.look(question(0));
        }
        loop.settle();
        assertThat(registry.asked)
                .as("three passes, a check after the first and one after the second or third")
                .hasSizeBetween(4, 5);
    }

    @Test
    void aReferenceThatComesAndGoesIsAskedForOncePerInterval() {
        start(1);
        for (int i = 0; i < 50; i++) {
            loop.advance(Duration.ofMillis(200));
            queue.untrack(question(0));
            queue.track(question(0));
        }
        loop.settle();
        assertThat(registry.asked).as("three passes").hasSize(3);
        assertThat(registry.passes).isEqualTo(3);
        queue.untrack(question(0));
        loop.advance(INTERVAL.multipliedBy(2));
        registry.asked.clear();
        queue.track(question(0));
        loop.settle();
        assertThat(registry.asked).as("long gone: it counts as new").hasSize(1);
    }

    @Test
    void theSameRequestIsSentOncePerIntervalAndRefusedAfterThat() {
        for (int i = 0; i < 1000; i++) {
            read("manifest");
        }
        loop.advance(INTERVAL.minusMillis(1));
        read("manifest");
        loop.settle();
        assertThat(read).containsExactly("manifest");
        assertThat(refused).hasSize(1000).allMatch(words -> words.contains("twice within an interval"));
        assertThat(registry.runaways).hasSize(1000).containsOnly("manifest");
        loop.advance(Duration.ofMillis(1));
        read("manifest");
        loop.settle();
        assertThat(read).hasSize(2);
    }

    @Test
    void requestsAreLimitedLikeQuestionsAndLeaveRoomForThem() {
        start(1);
        holdReads = true;
        IntStream.range(0, 20).forEach(i -> read("manifest " + i));
        loop.settle();
        assertThat(heldReads).as("of four at a time").hasSize(3);
        loop.advance(INTERVAL);
        assertThat(registry.asked).as("hanging requests delay no question").hasSize(2);
        releaseReads();
        assertThat(read).hasSize(20);
    }

    @Test
    void aRequestToAFailingRegistryIsRefusedWithTheReason() {
        track(1);
        registry.outcome = any -> DOWN;
        queue.start();
        loop.settle();
        read("manifest");
        loop.settle();
        assertThat(read).isEmpty();
        assertThat(refused).containsExactly("refused");
        registry.outcome = any -> FOUND;
        loop.advance(INTERVAL.multipliedBy(2));
        read("manifest");
        loop.settle();
        assertThat(read).as("what was not sent may be sent within the interval").hasSize(1);
    }

    @Test
    void requestsWaitForALimitThatIsResetSoonAndGiveUpOnOneThatIsNot() {
        registry.allow(0, Duration.ofSeconds(30));
        read("soon");
        loop.advance(Duration.ofSeconds(29));
        assertThat(read).isEmpty();
        loop.advance(Duration.ofSeconds(2));
        assertThat(read).containsExactly("soon");
        registry.allow(0, Duration.ofHours(6));
        read("late");
        loop.settle();
        assertThat(read).containsExactly("soon");
        assertThat(refused).singleElement().asString().contains("must not be asked until");
    }

    @Test
    void aRateLimitedRequestHoldsBackRequestsButNotQuestions() {
        start(1);
        readFailure = rateLimited();
        read("first");
        loop.settle();
        readFailure = null;
        read("second");
        loop.advance(INTERVAL);
        assertThat(read).containsExactly("first");
        assertThat(refused).hasSize(2);
        assertThat(registry.asked).hasSize(2);
        loop.advance(Duration.ofSeconds(60));
        read("third");
        loop.settle();
        assertThat(read).containsExactly("first", "third");
    }

    @Test
    void afterARateLimitedRequestNoWaitingRequestIsSent() {
        readFailure = rateLimited();
        IntStream.range(0, 200).forEach(i -> read("manifest " + i));
        loop.settle();
        assertThat(read).as("what was under way").hasSize(3);
        assertThat(refused).hasSize(200);
    }

    @Test
    void afterARateLimitedQuestionNoRequestIsSent() {
        start(6);
        answerOneOfTheNextPass();
        holdReads = true;
        IntStream.range(0, 50).forEach(i -> read("manifest " + i));
        registry.answerNext(new Resolution.RateLimited(
                new Resolution.Problem(Deferral.RATE_LIMITED, "429"),
                Optional.of(loop.instant().plusSeconds(60))));
        loop.settle();
        int underWay = heldReads.size();
        registry.release(FOUND);
        releaseReads();
        assertThat(read).hasSizeLessThanOrEqualTo(underWay);
        assertThat(read.size() + refused.size()).as("each got an answer").isEqualTo(50);
    }

    @Test
    void waitingRequestsGiveUpWhenTheLimitTurnsOutToLastForHours() {
        Instant resets = loop.instant().plus(Duration.ofHours(6));
        registry.allowance = Optional.of(new WatchedRegistry.Allowance(2, resets));
        holdReads = true;
        IntStream.range(0, 5).forEach(i -> read("manifest " + i));
        loop.settle();
        registry.allowance = Optional.of(new WatchedRegistry.Allowance(0, resets));
        releaseReads();
        assertThat(read).hasSize(2);
        assertThat(refused).hasSize(3).allMatch(words -> words.contains("must not be asked until"));
    }

    @Test
    void aHostThatAnswersOnlySomeReferencesGetsRequestsAfterThePass() {
        track(6);
        registry.outcome = reference -> reference.equals(reference(0)) ? FOUND : DOWN;
        queue.start();
        loop.settle();
        read("manifest");
        loop.settle();
        assertThat(read).hasSize(1);
    }

    @Test
    void theFirstAnswerAfterAnOutageLetsRequestsThrough() {
        track(3);
        registry.outcome = any -> DOWN;
        queue.start();
        loop.settle();
        registry.outcome = any -> FOUND;
        registry.whenAnswered = () -> read("manifest");
        loop.advance(INTERVAL.multipliedBy(2));
        assertThat(read).hasSize(1);
        assertThat(refused).isEmpty();
    }

    @Test
    void repeatedCredentialChangesAskAgainOncePerMinuteAndTheLastOneCounts() {
        HostQueue seldom = new HostQueue("r.example", Duration.ofHours(1), 4, loop, loop, registry);
        seldom.track(question(0));
        seldom.start();
        loop.settle();
        for (int second = 0; second < 150; second++) {
            seldom.refresh();
            loop.advance(Duration.ofSeconds(1));
        }
        assertThat(registry.asked).as("at the start, after 0, 60 and 120 s").hasSize(4);
        loop.advance(Duration.ofMinutes(1));
        assertThat(registry.asked).as("after the last change").hasSize(5);
        loop.advance(Duration.ofMinutes(30));
        assertThat(registry.asked).hasSize(5);
    }

    @Test
    void aRequestIsOverWhateverItThrowsAndTheNextIsSent() {
        readError = new IllegalStateException("a fault");
        IntStream.range(0, 10).forEach(i -> read("broken " + i));
        loop.settle();
        readError = null;
        read("well");
        loop.settle();
        assertThat(read).hasSize(11);
        assertThat(refused).hasSize(10).allMatch(words -> words.contains("a fault"));
    }

    @Test
    void reportsForHowLongNoRequestHasEnded() {
        holdReads = true;
        read("lost");
        loop.advance(Duration.ofMinutes(1));
        assertThat(queue.requestsStandStill()).isEqualTo(Duration.ofMinutes(1));
        releaseReads();
        loop.advance(Duration.ofMinutes(1));
        assertThat(queue.requestsStandStill()).isZero();
    }

    private void read(String what) {
        queue.send(new Requests.Request<String>() {
            @Override
            public String what() {
                return what;
            }

            @Override
            public String send() throws RegistryException {
                read.add(what);
                if (readFailure != null) {
                    throw readFailure;
                }
                if (readError != null) {
                    throw readError;
                }
                return what;
            }

            @Override
            public void answered(String answer) {}

            @Override
            public void failed(String words) {
                refused.add(words);
            }
        });
    }

    private void releaseReads() {
        holdReads = false;
        while (!heldReads.isEmpty()) {
            heldReads.remove(0).run();
            loop.settle();
        }
    }

    private void track(int count) {
        IntStream.range(0, count).forEach(i -> queue.track(question(i)));
    }

    /** Tracks this many references, and asks for them. */
    private void start(int count) {
        track(count);
        queue.start();
        loop.settle();
    }

    /** Holds the answers of the next pass back, except the first. */
    private void answerOneOfTheNextPass() {
        registry.hold();
        loop.advance(INTERVAL);
        registry.answerNext(FOUND);
        loop.settle();
    }

    private void look(int i) {
        queue.lookNext(question(i));
        loop.settle();
    }

    private RateLimitedException rateLimited() {
        return new RateLimitedException(
                FailedRequest.of("read", "r.example"), "429", loop.instant().plusSeconds(60), true, null);
    }

    private static Question question(int i) {
        return new Question(reference(i), Asker.EVERYBODY);
    }

    private static ImageReference reference(int i) {
        return ImageReference.parse("r.example/app:" + i);
    }

    /** Answers at once, or when told to. */
    private final class Registry implements HostQueue.Port {
        private final List<ImageReference> asked = new ArrayList<>();
        private final Map<ImageReference, Runnable> held = new LinkedHashMap<>();
        private final Map<ImageReference, Resolution> answers = new HashMap<>();
        private Optional<ImageReference> asking = Optional.empty();
        /** Null for one that hangs. */
        private Function<ImageReference, @Nullable Resolution> outcome = any -> FOUND;

        private Optional<WatchedRegistry.Allowance> allowance = Optional.empty();
        private final List<String> runaways = new ArrayList<>();
        private Runnable whenAnswered = () -> {};
        private boolean holding;
        private int passes;

        void hold() {
            holding = true;
        }

        void answerNext(Resolution with) {
            ImageReference next = held.keySet().iterator().next();
            answers.put(next, with);
            loop.execute(held.remove(next));
        }

        void release(Resolution with) {
            holding = false;
            while (!held.isEmpty()) {
                answerNext(with);
            }
            loop.settle();
        }

        void allow(int requests, Duration reset) {
            allowance = Optional.of(
                    new WatchedRegistry.Allowance(requests, loop.instant().plus(reset)));
        }

        @Override
        public Supplier<Resolution> ask(Question question) {
            ImageReference reference = question.reference();
            asked.add(reference);
            asking = Optional.of(reference);
            allowance = allowance.map(before -> before.resets().isAfter(loop.instant())
                    ? new WatchedRegistry.Allowance(before.remaining() - 1, before.resets())
                    : before);
            Resolution result = outcome.apply(reference);
            return () -> result != null ? answers.getOrDefault(reference, result) : DOWN;
        }

        @Override
        public void elsewhere(Runnable task, Consumer<Throwable> failed) {
            Optional<ImageReference> question = asking;
            asking = Optional.empty();
            if (question.isPresent() && holding) {
                answers.remove(question.get());
                held.put(question.get(), task);
            } else if (question.isPresent() && outcome.apply(question.get()) == null) {
                return; // it hangs
            } else if (question.isEmpty() && holdReads) {
                heldReads.add(task);
            } else {
                question.ifPresent(answers::remove);
                loop.execute(task);
            }
        }

        @Override
        public void runaway(String what) {
            runaways.add(what);
        }

        @Override
        public Optional<WatchedRegistry.Allowance> allowance(Asker asker) {
            return allowance;
        }

        @Override
        public Optional<WatchedRegistry.Allowance> budget() {
            return Optional.empty();
        }

        @Override
        public Collection<String> namespaces(Question question) {
            return List.of("team");
        }

        @Override
        public boolean hasTenants() {
            return false;
        }

        @Override
        public void served(AgentListener.Served what, String namespace) {}

        @Override
        public void forgotten(Asker asker) {}

        @Override
        public void settled(Asker asker, Optional<Resolution.Problem> problem) {}

        @Override
        public void answered(Question question, Resolution outcome, Instant asked, Duration took) {
            whenAnswered.run();
            whenAnswered = () -> {};
        }

        @Override
        public void passed(boolean whole, Duration took) {
            passes++;
        }
    }
}
