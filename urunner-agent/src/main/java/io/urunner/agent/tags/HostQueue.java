package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.plan.Brief;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Everything that one registry host is asked, with its own schedule, pace and bounded number of requests in flight, so that
 * a host that hangs delays no other. On the loop.
 *
 * <p>Whatever happens elsewhere in the agent, requests are bounded here: a question is asked once per interval by a pass,
 * once more if a workload changed since, as often as {@linkplain Hints hints} may, and when credentials change; no other
 * request is sent twice within an interval.
 *
 * <p>A {@linkplain Passes pass} asks every question once. Namespaces take turns, however many questions each has, and one
 * that fails or hangs leaves room for the others. What holds back one {@linkplain AskerPace asker} holds back no other. What
 * failed last time, or was never answered, comes last in the {@linkplain Backlog backlog}.
 */
final class HostQueue {
    /** By how much two clocks that are read one after the other may differ. */
    private static final Duration CLOCK_SKEW = Duration.ofMillis(50);

    /** How many waiting askers are reported. */
    private static final int MOST_WAITS = 100;

    private final String host;
    private final Loop loop;
    private final InstantSource clock;
    private final Port port;
    private final Backlog backlog;
    private final PassBudget budget;
    private final Passes passes;
    private final Requests requests;
    private final Dispatcher dispatcher;
    /** Whether an answer is being reported. */
    private boolean reporting;

    /** Whether something was asked between the passes, and that is not over yet. */
    private boolean askedEarly;

    /** What the queue needs from outside. */
    interface Port {
        /** Returns what asks the registry: created on the loop, run {@link #elsewhere}, where it waits for the answer. */
        Supplier<Resolution> ask(Question question);

        /**
         * A question has an outcome, and is no longer pending. What this leads to starts when it returns.
         *
         * @param asked when it was asked
         * @param took how long it took
         */
        void answered(Question question, Resolution outcome, Instant asked, Duration took);

        /** The namespaces for which this is asked. */
        Collection<String> namespaces(Question question);

        /** The registry's limit for an asker, as far as it is known. */
        Optional<Allowance> allowance(Asker asker);

        /** Our own limit for everything that is sent. */
        Optional<Allowance> budget();

        /** Whether there is more than one namespace. */
        boolean hasTenants();

        /** Runs something that waits for the registry on another thread; {@code failed} is called on the loop if it cannot start. */
        void elsewhere(Runnable task, Consumer<Throwable> failed);

        /** Some part of the agent asks for the same thing over and over. */
        void runaway(String what);

        /** It is this namespace's turn, and a question is asked or a request sent for it. */
        void served(AgentListener.Served what, String namespace);

        /** None of an asker's questions waits any longer; {@code problem} is what is wrong with the host for it, if anything. */
        void settled(Asker asker, Optional<Resolution.Problem> problem);

        /** An asker has no more questions. */
        void forgotten(Asker asker);

        /**
         * A pass is over. Questions that it did not reach are no longer pending.
         *
         * @param whole whether it covered all references
         */
        void passed(boolean whole, Duration took);
    }

    /**
     * What the parts of a queue share.
     *
     * @param name the host
     * @param interval the time between two passes
     * @param concurrency how many questions and requests may be in flight
     * @param loop the loop
     * @param clock the time
     * @param port what the queue needs from outside
     */
    record Parts(String name, Duration interval, int concurrency, Loop loop, InstantSource clock, Port port) {}

    HostQueue(String host, Duration interval, int concurrency, Loop loop, InstantSource clock, Port port) {
        this.host = host;
        this.loop = loop;
        this.clock = clock;
        this.port = port;
        Parts parts = new Parts(host, interval, concurrency, loop, clock, port);
        backlog = new Backlog(parts);
        budget = new PassBudget(parts);
        passes = new Passes(parts, backlog, budget, this::passIsDue);
        requests = new Requests(parts, this::pump);
        dispatcher = new Dispatcher(parts, backlog, budget, requests, this::answered);
    }

    String host() {
        return host;
    }

    // ---- what is to be asked

    /** Starts the schedule with a pass now. */
    void start() {
        passes.start();
    }

    /** Ends the schedule; answers that still arrive are processed. */
    void stop() {
        passes.stop();
        backlog.leaveAll();
        requests.clear();
    }

    /** Asks this from now on: at once if the host is healthy and idle, otherwise in its next pass. */
    void track(Question question) {
        if (backlog.find(question).isPresent()) {
            return;
        }
        if (backlog.track(question)) {
            askEarly(question);
        }
        if (passes.completed() > 0) {
            passes.reschedule();
        }
    }

    void untrack(Question question) {
        if (backlog.find(question).isEmpty()) {
            return;
        }
        backlog.untrack(question);
        pump();
        if (backlog.pace(question.asker()).isIdle()) {
            forget(question.asker());
        }
    }

    private void forget(Asker asker) {
        backlog.paces().remove(asker);
        port.forgotten(asker);
    }

    /** Asks this early if the host is healthy, at most once per interval; otherwise it waits for its turn. */
    void look(Question question) {
        Optional<Asked> asked = backlog.find(question)
                .filter(one -> one.requestedAt.filter(backlog::isWithinInterval).isEmpty());
        if (asked.isPresent()) {
            asked.get().requestedAt = Optional.of(loop.nanos());
            askEarly(question);
        }
    }

    /** Asks this next if the host is healthy; if it is being asked, then after that answer. */
    void lookNext(Question question) {
        if (dispatcher.inFlight().contains(question)) {
            backlog.find(question).ifPresent(asked -> asked.askAgain = true);
        } else {
            addEarly(question);
            if (backlog.waits(question)) {
                backlog.hint(question);
            }
            pump();
        }
    }

    /** Leaves this out of passes until the pause is over. */
    void rest(Question question, Duration pause) {
        backlog.find(question).ifPresent(asked -> asked.restsUntil = Optional.of(loop.nanos() + pause.toNanos()));
    }

    private void askEarly(Question question) {
        addEarly(question);
        pump();
    }

    private void addEarly(Question question) {
        if (mayAskEarly(question) && !pending(question)) {
            backlog.asked(question).early = true;
            askedEarly = true;
            backlog.add(question, false);
        }
    }

    /** Whether this may be asked between the passes. */
    private boolean mayAskEarly(Question question) {
        Asker asker = question.asker();
        Instant now = clock.instant();
        return (passes.running() || passes.completed() > 0)
                && backlog.find(question).isPresent()
                && backlog.pace(asker).pausedUntil().isEmpty()
                && Stream.of(port.allowance(asker), port.budget())
                        .flatMap(Optional::stream)
                        .allMatch(limit -> limit.spare(now) > 0);
    }

    /**
     * Sends a request as soon as there is room for it. It is not sent while the host fails or must not be asked.
     *
     * @param request what to send; notified of its end later, unless the agent shuts down
     */
    void send(Requests.Request<?> request) {
        AskerPace pace = backlog.pace(request.asker());
        Optional<Instant> alone =
                pace.pausedUntil().filter(until -> pace.isLimited()).map(this::instant);
        requests.add(request, alone, pace.failing() ? Optional.of(failure(request.asker())) : Optional.empty());
        pump();
    }

    /** Whether the same was sent within the interval, so that it would be refused. */
    boolean wasSent(String what) {
        return requests.wasSent(what);
    }

    /**
     * Starts the next pass now, or after the current one; a host in back-off is left alone. Repeated calls have an effect
     * once a minute.
     */
    void refresh() {
        passes.refresh();
    }

    /** How long {@linkplain #send requests} have been under way without one ending. */
    Duration requestsStandStill() {
        return requests.standStill();
    }

    // ---- what is reported

    /** Whether it is about to be asked, or is being asked. */
    boolean pending(Question question) {
        return dispatcher.inFlight().contains(question) || backlog.waits(question);
    }

    boolean running() {
        return passes.running() || !dispatcher.inFlight().isEmpty() || backlog.anyWaits();
    }

    /** What is wrong with the host for an asker, if anything. */
    Optional<Resolution.Problem> problem(Asker asker) {
        return backlog.find(asker).flatMap(AskerPace::problem);
    }

    /** Whether the host must not be asked by an asker, as opposed to not answering. */
    boolean isHeldBack(Asker asker) {
        return backlog.find(asker).filter(AskerPace::isHeldBack).isPresent();
    }

    /** What prevents an asker from asking, and until when; empty if nothing does. */
    Optional<HostStatus.Wait> waits(Asker asker) {
        return pauses(asker).or(this::waitsForBudget);
    }

    private Optional<HostStatus.Wait> pauses(Asker asker) {
        return backlog.find(asker).flatMap(pace -> pace.pause(asker, this::instant));
    }

    /** The wait caused by our own budget, if it is too small to ask everything in each pass; else empty. */
    Optional<HostStatus.Wait> waitsForBudget() {
        return budget.waits(instant(passes.nextAt()));
    }

    /** The earliest time at which a question is asked again; empty if that is in the next pass. */
    Optional<Instant> restsUntil(Question question) {
        long rests = restsFor(question);
        return rests > 0 ? Optional.of(instant(loop.nanos() + rests)) : Optional.empty();
    }

    private long restsFor(Question question) {
        long now = loop.nanos();
        long asker = backlog.find(question.asker())
                .flatMap(AskerPace::pausedUntil)
                .map(until -> until - now)
                .orElse(0L);
        long own = backlog.find(question).map(asked -> asked.restsFor(now)).orElse(0L);
        return Math.max(asker, own);
    }

    Optional<Instant> failingSince(Asker asker) {
        return backlog.find(asker).flatMap(AskerPace::failingSince);
    }

    HostStatus status() {
        List<AskerPace> asking = backlog.paces().values().stream()
                .filter(one -> one.questions > 0 && one.isHeard())
                .toList();
        // Something is wrong with the host if no asker is answered.
        Optional<AskerPace> failing =
                asking.stream().allMatch(one -> one.problem().isPresent())
                        ? asking.stream().findFirst()
                        : Optional.empty();
        return new HostStatus(
                host,
                (int) backlog.questions().stream()
                        .map(Question::reference)
                        .distinct()
                        .count(),
                !asking.isEmpty(),
                !asking.isEmpty() && failing.isEmpty(),
                failing.flatMap(AskerPace::problem).map(Resolution.Problem::message),
                failing.flatMap(AskerPace::failingSince),
                backlog.lastAnswer(),
                Stream.concat(
                                waitsForBudget().stream(),
                                backlog.paces().entrySet().stream()
                                        .filter(entry -> entry.getValue().questions > 0)
                                        .flatMap(entry -> pauses(entry.getKey()).stream()))
                        .limit(MOST_WAITS)
                        .toList(),
                passes.running() ? Optional.empty() : Optional.of(instant(passes.nextAt())),
                passes.completed());
    }

    /** When this is asked next; empty while it is being asked. */
    Optional<Instant> next(Question question) {
        if (pending(question)) {
            return Optional.empty();
        }
        long now = loop.nanos();
        return Optional.of(instant(Math.max(passes.nextAt(), now + restsFor(question))));
    }

    /** How long it takes to ask all questions once, judging by the last pass. */
    Duration cycle() {
        return passes.cycle();
    }

    /** Rounds a time, so that two clocks read one after the other yield the same when it is reported again. */
    private Instant instant(long nanos) {
        return Brief.end(clock.instant().plusNanos(nanos - loop.nanos()).minus(CLOCK_SKEW));
    }

    private String failure(Asker asker) {
        return problem(asker).map(Resolution.Problem::message).orElse(host + " does not answer");
    }

    // ---- what moves it on

    private void passIsDue() {
        // Comes first: whatever fails below is then retried.
        passes.scheduleNext();
        backlog.forgetOld();
        requests.forgetOld();
        List.copyOf(backlog.paces().entrySet()).stream()
                .filter(entry -> entry.getValue().isIdle())
                .forEach(entry -> forget(entry.getKey()));
        if (passes.begin(dispatcher.inFlight())) {
            pump();
        }
    }

    /** Sends what may be sent now, and reports what is over. */
    private void pump() {
        if (reporting) {
            return; // what the answer leads to is started together
        }
        dispatcher.fill();
        if (dispatcher.underWay() == 0 && backlog.anyWaits() && budget.isUsed(0)) {
            budget.isShort();
            backlog.leaveAll();
        }
        for (Map.Entry<Asker, AskerPace> entry : List.copyOf(backlog.paces().entrySet())) {
            leaveIfUsed(entry.getKey(), entry.getValue());
            if (entry.getValue().ends(port.hasTenants())) {
                settled(entry.getKey(), entry.getValue());
            }
        }
        Optional<Duration> took = passes.endIfOver();
        if (took.isPresent()) {
            askedEarly = false;
            port.passed(true, took.get());
        } else if (askedEarly && !running()) {
            askedEarly = false;
            port.passed(false, Duration.ZERO);
        }
        requests.waitForLimits(budget);
    }

    /** Questions that a limit prevents in this pass are asked in a later one. */
    private void leaveIfUsed(Asker asker, AskerPace pace) {
        if (pace.onlyWaits()) {
            port.allowance(asker).filter(pace::hasUsed).ifPresent(limit -> {
                backlog.leaveAll(asker);
                passes.extendCycle(pace.spread(limit));
            });
        } else if (pace.isDone()) {
            port.allowance(asker)
                    .filter(limit -> limit.isUsedUp(clock.instant()))
                    .ifPresent(limit -> passes.extendCycle(pace.spread(limit)));
        }
    }

    private void settled(Asker asker, AskerPace pace) {
        if (pace.failing()) {
            requests.refuseAll(asker, failure(asker));
            // Now the asker's own pace holds it back; when that ends, all are asked at once.
            backlog.endRest(asker);
        }
        port.settled(asker, pace.problem());
        if (pace.isIdle()) {
            forget(asker);
        }
        passes.reschedule();
    }

    private void answered(Question question, Dispatcher.InFlight sent, Resolution outcome) {
        Asker asker = question.asker();
        backlog.over(question);
        AskerPace pace = backlog.pace(asker);
        pace.over();
        Optional<Asked> asked = backlog.find(question);
        if (outcome instanceof Resolution.Found || outcome instanceof Resolution.Refused) {
            backlog.answered(question, sent.namespace());
        } else if (outcome instanceof Resolution.Unreachable unreachable) {
            pace.unanswered(unreachable.problem(), unreachable.until());
            backlog.failed(question, sent.namespace());
            if (pace.givesUp()) {
                backlog.probeOrLeave(asker);
            }
        } else if (outcome instanceof Resolution.Useless useless) {
            pace.rejected(useless.problem());
            backlog.failed(question, sent.namespace());
        } else if (outcome instanceof Resolution.RateLimited refusal) {
            pace.limited(refusal.problem(), refusal.until());
            backlog.leaveAll(asker);
            requests.refuseAll(asker, failure(asker));
        } else if (outcome instanceof Resolution.Rejected rejected) {
            pace.rejected(rejected.problem());
        }
        reporting = true;
        try {
            port.answered(question, outcome, sent.asked(), Duration.ofNanos(loop.nanos() - sent.begun()));
        } finally {
            reporting = false;
            if (asked.isPresent() && asked.get().askAgain) {
                asked.get().askAgain = false;
                lookNext(question);
            }
            pump();
        }
    }
}
