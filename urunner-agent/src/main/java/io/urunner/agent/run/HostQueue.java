package io.urunner.agent.run;

import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * All that one registry host is asked: a schedule, a pace and a bounded number of requests in flight of its own, so that a
 * host that hangs delays no other. Lives on the loop.
 *
 * <p>Whatever happens elsewhere in the agent, here it is bounded: a reference is asked for once per interval by a pass, once
 * more where its workload changed since, as often as {@linkplain Hints hints} may, and when credentials changed; no other
 * request is sent twice within an interval.
 *
 * <p>A pass asks every reference once. It asks one at a time until the host answered, then several at once: a host that
 * is down gets one or two questions, a rejected credential is shown once, and a limit is known before it is used up. What
 * failed last time comes last.
 */
final class HostQueue {
    /** How often everything is asked anew at most, if the interval is longer. */
    private static final Duration ASK_ANEW = Duration.ofMinutes(1);

    private static final Duration A_MOMENT = Duration.ofMillis(100);

    /** So many failures in a row end a pass. */
    private static final int FAILURES_THAT_END = 3;

    private final String host;
    private final Duration interval;
    private final int concurrency;
    private final Loop loop;
    private final InstantSource clock;
    private final Port port;
    private final Pace pace;
    private final Map<ImageReference, Asked> references = new LinkedHashMap<>();
    /** Those that were asked for less than an interval ago, and are not any more: who comes back is not new. */
    private final Map<ImageReference, Asked> gone = new LinkedHashMap<>();

    private final Set<ImageReference> soon = new LinkedHashSet<>();
    private final Set<ImageReference> waiting = new LinkedHashSet<>();
    /** Those of the waiting that come first, the last hint before the others; some may have been asked meanwhile. */
    private final Deque<ImageReference> hinted = new ArrayDeque<>();

    private final Set<ImageReference> inFlight = new HashSet<>();

    private final Requests requests;
    /** Whether a request comes next, where a question could, too. */
    private boolean requestsTurn = true;

    private Optional<Long> askedAnew = Optional.empty();
    private Loop.Timer anewLater = () -> {};
    private boolean waitingForLimit;

    private boolean running;
    private boolean overdue;
    private boolean whole;
    private boolean answered;
    private boolean limited;
    /** Whether a pass ends because the host does not answer. */
    private boolean givenUp;

    /** Whether the last question between the passes failed. */
    private boolean lookFailed;

    private int failuresInARow;
    private int quota;
    private long startedAt;
    private long nextAt;
    private Duration round = Duration.ZERO;
    /** When the first pass began after the last that failed. */
    private long wellSince;

    private Optional<Instant> notBefore = Optional.empty();
    private Loop.Timer timer = () -> {};
    private Optional<Resolution.Problem> problem = Optional.empty();
    private Optional<Instant> failingSince = Optional.empty();
    private Optional<Instant> lastAnswer = Optional.empty();
    private long passes;

    /** What the queue needs of its surroundings. */
    interface Port {
        /** Asks the registry elsewhere and gives the outcome back on the loop, always, once. */
        void ask(ImageReference reference, Consumer<Resolution> answer);

        /** The registry's limit as far as it is known. */
        Optional<WatchedRegistry.Allowance> allowance();

        /** Runs something that waits for the registry elsewhere. */
        void elsewhere(Runnable task);

        /** Somebody in the agent asks for the same thing over and over. */
        void runaway(String what);

        /** An answer came; the reference is no longer pending. */
        void answered(ImageReference reference, Resolution outcome);

        /**
         * A pass is over. References that it did not come to are no longer pending.
         *
         * @param whole whether it was one over all references
         * @param problem what is wrong with the host, if something is
         */
        void passed(HostQueue host, boolean whole, Duration took, Optional<Resolution.Problem> problem);
    }

    private static final class Asked {
        private int failures;
        private Optional<Long> looked = Optional.empty();
        private long at = Long.MIN_VALUE;
        private long notBefore = Long.MIN_VALUE;
    }

    HostQueue(String host, Duration interval, int concurrency, Loop loop, InstantSource clock, Port port) {
        this.host = host;
        this.interval = interval;
        this.concurrency = concurrency;
        this.loop = loop;
        this.clock = clock;
        this.port = port;
        pace = new Pace(interval);
        requests = new Requests(host, interval, loop, clock, port);
        nextAt = loop.nanos();
        wellSince = loop.nanos();
    }

    String host() {
        return host;
    }

    Duration interval() {
        return interval;
    }

    /** Begins the schedule with a pass now. */
    void start() {
        schedule(Duration.ZERO);
    }

    /** Ends the schedule; answers that still come are taken. */
    void stop() {
        timer.cancel();
        timer = () -> {};
        anewLater.cancel();
        waiting.clear();
        soon.clear();
        requests.clear();
    }

    /** Asks this reference from now on: at once if the host is well and has nothing else to do, else in its next pass. */
    void track(ImageReference reference) {
        if (references.containsKey(reference)) {
            return;
        }
        Asked before = gone.remove(reference);
        references.put(reference, before == null ? new Asked() : before);
        if (before == null || !isWithinInterval(before.at)) {
            askSoon(reference);
        }
    }

    void untrack(ImageReference reference) {
        Optional.ofNullable(references.remove(reference))
                .filter(asked -> isWithinInterval(asked.at))
                .ifPresent(asked -> gone.put(reference, asked));
        soon.remove(reference);
        waiting.remove(reference);
    }

    private boolean isWithinInterval(long moment) {
        return moment != Long.MIN_VALUE && loop.nanos() - moment < interval.toNanos();
    }

    /** Asks this reference before its turn, if the host is well, and at most once per interval: else its turn comes. */
    void look(ImageReference reference) {
        Asked asked = references.get(reference);
        if (asked != null && asked.looked.filter(this::isWithinInterval).isEmpty()) {
            asked.looked = Optional.of(loop.nanos());
            askSoon(reference);
        }
    }

    private void askSoon(ImageReference reference) {
        if (references.containsKey(reference) && !waiting.contains(reference)) {
            soon.add(reference);
            if (mayLook()) {
                begin(false, List.copyOf(soon));
            }
        }
    }

    /**
     * Sends a request as soon as there is room for it. Where the host fails or wants to be left alone, it is not sent.
     *
     * @param request what to send; told of its end later, unless the agent ends
     */
    void send(Requests.Request<?> request) {
        boolean failing = pace.failing() && !(running && answered);
        requests.add(request, notBefore, failing ? Optional.of(failure()) : Optional.empty());
        pump();
    }

    /** Whether the same was sent within the interval, so that it would be refused. */
    boolean wasSent(String what) {
        return requests.wasSent(what);
    }

    private String failure() {
        return problem.map(Resolution.Problem::message).orElse(host + " does not answer");
    }

    /** Asks this reference next in the pass that runs, where the host is well; else soon. */
    void lookNext(ImageReference reference) {
        if (running && answered && !limited && references.containsKey(reference) && !inFlight.contains(reference)) {
            soon.remove(reference);
            waiting.add(reference);
            hinted.push(reference);
            pump();
        } else {
            askSoon(reference);
        }
    }

    /**
     * Begins the next pass now, or after the one that runs; a host that backs off is left alone. Who wants that again and
     * again gets it once a minute.
     */
    void askAnew() {
        if (!running && (pace.failing() || notBefore.isPresent())) {
            return;
        }
        long now = loop.nanos();
        long rest = Math.min(interval.toNanos(), ASK_ANEW.toNanos());
        if (askedAnew.isPresent() && now - askedAnew.get() < rest) {
            anewLater.cancel();
            anewLater = loop.after(Duration.ofNanos(rest - (now - askedAnew.get())), this::askAnew);
            return;
        }
        askedAnew = Optional.of(now);
        if (running) {
            overdue = true;
        } else {
            schedule(Duration.ZERO);
        }
    }

    /** Whether a running pass has not yet come to this reference. */
    boolean pending(ImageReference reference) {
        return inFlight.contains(reference) || waiting.contains(reference);
    }

    boolean running() {
        return running;
    }

    /** What is wrong with the host, if something is. */
    Optional<Resolution.Problem> problem() {
        return problem;
    }

    Optional<Instant> failingSince() {
        return failingSince;
    }

    HostStatus status() {
        return new HostStatus(
                host,
                references.size(),
                problem.isEmpty(),
                problem.map(Resolution.Problem::message),
                failingSince,
                lastAnswer,
                running ? Optional.empty() : Optional.of(clock.instant().plusNanos(nextAt - loop.nanos())),
                passes);
    }

    private void schedule(Duration delay) {
        nextAt = loop.nanos() + delay.toNanos();
        timer.cancel();
        timer = loop.after(delay, this::due);
    }

    /** How long it takes until all references have been asked once more, as far as the last pass showed. */
    Duration round() {
        return round;
    }

    private void due() {
        if (running) {
            overdue = true;
            return;
        }
        long now = loop.nanos();
        // A host that fails is asked for one or two references only: their age says nothing of a round.
        round = Duration.ofNanos(references.values().stream()
                .filter(asked -> asked.failures == 0 && asked.at != Long.MIN_VALUE && asked.at - wellSince >= 0)
                .mapToLong(asked -> now - asked.at)
                .filter(age -> !pace.failing())
                .max()
                .orElse(0));
        Comparator<Map.Entry<ImageReference, Asked>> failedLast =
                Comparator.comparingInt(entry -> Math.min(1, entry.getValue().failures));
        List<ImageReference> due = references.entrySet().stream()
                .filter(entry -> entry.getValue().notBefore <= now)
                .sorted(failedLast.thenComparingLong(entry -> entry.getValue().at))
                .map(Map.Entry::getKey)
                .toList();
        begin(true, due);
    }

    private void begin(boolean whole, Collection<ImageReference> due) {
        gone.values().removeIf(asked -> !isWithinInterval(asked.at));
        requests.forgetOld();
        running = true;
        overdue = false;
        this.whole = whole;
        startedAt = loop.nanos();
        notBefore = Optional.empty();
        answered = false;
        limited = false;
        givenUp = false;
        failuresInARow = 0;
        due.forEach(soon::remove); // removeAll would search the list for each
        waiting.addAll(due);
        hinted.clear();
        quota = port.allowance()
                .map(allowance -> allowance.quota(
                        waiting.size(),
                        (int) due.stream().filter(this::neverAsked).count(),
                        interval,
                        clock.instant()))
                .orElse(Integer.MAX_VALUE);
        pump();
    }

    private boolean neverAsked(ImageReference reference) {
        Asked asked = references.get(reference);
        return asked != null && asked.at == Long.MIN_VALUE;
    }

    private void pump() {
        fill();
        if (running && inFlight.isEmpty() && (waiting.isEmpty() || quota <= 0 || allowanceUsedUp())) {
            end();
            fill();
        }
        if (requests.anyWaiting() && allowanceUsedUp()) {
            waitForLimit();
        }
    }

    private void fill() {
        while (inFlight.size() + requests.underWay() < concurrency && !allowanceUsedUp()) {
            boolean mayAsk = !waiting.isEmpty() && quota > 0 && (answered || inFlight.isEmpty());
            if (maySend() && (requestsTurn || !mayAsk)) {
                requestsTurn = false;
                requests.sendNext(this::pump);
            } else if (mayAsk) {
                requestsTurn = true;
                askNext();
            } else {
                break;
            }
        }
    }

    private void waitForLimit() {
        Instant now = clock.instant();
        Instant resets = port.allowance().map(WatchedRegistry.Allowance::resets).orElse(now);
        if (!requests.refusedUntil(resets) && !waitingForLimit) {
            waitingForLimit = true;
            loop.after(Pace.max(Duration.between(now, resets), A_MOMENT), () -> {
                waitingForLimit = false;
                pump();
            });
        }
    }

    /** One of several requests in flight is kept for questions: they never wait for something that hangs. */
    private boolean maySend() {
        return requests.anyWaiting()
                && !limited
                && !givenUp
                && (requests.underWay() < concurrency - 1 || (concurrency == 1 && inFlight.isEmpty()));
    }

    private void askNext() {
        ImageReference reference = hinted.isEmpty() ? waiting.iterator().next() : hinted.pop();
        Asked asked = references.get(reference);
        if (waiting.remove(reference) && asked != null) {
            asked.at = loop.nanos();
            quota--;
            inFlight.add(reference);
            port.ask(reference, outcome -> answered(reference, outcome));
        }
    }

    private boolean allowanceUsedUp() {
        return port.allowance()
                .map(allowance -> allowance.left(clock.instant()) <= inFlight.size() + requests.underWay())
                .orElse(false);
    }

    private void answered(ImageReference reference, Resolution outcome) {
        inFlight.remove(reference);
        Optional<Asked> asked = Optional.ofNullable(references.get(reference));
        if (outcome instanceof Resolution.Found || outcome instanceof Resolution.Refused) {
            answered = true;
            failuresInARow = 0;
            lastAnswer = Optional.of(clock.instant());
            asked.ifPresent(state -> state.failures = 0);
            asked.ifPresent(state -> state.notBefore = Long.MIN_VALUE);
        } else if (outcome instanceof Resolution.Unreachable unreachable) {
            failuresInARow++;
            problem = Optional.of(unreachable.problem());
            asked.ifPresent(this::backOff);
            if (failuresInARow >= FAILURES_THAT_END || (!answered && (pace.failing() || failuresInARow > 1))) {
                givenUp = true;
                waiting.clear();
            }
        } else if (outcome instanceof Resolution.RateLimited refusal) {
            limited = true;
            problem = Optional.of(refusal.problem());
            notBefore = refusal.until();
            waiting.clear();
        } else if (outcome instanceof Resolution.Rejected rejected) {
            problem = Optional.of(rejected.problem());
            failingSince = failingSince.or(() -> Optional.of(clock.instant()));
        }
        port.answered(reference, outcome);
        pump();
    }

    private void backOff(Asked asked) {
        asked.failures++;
        asked.notBefore = loop.nanos() + Pace.backOff(interval, asked.failures).toNanos();
    }

    private void end() {
        // Right after a push the registry may still be writing: the first failure between the passes does not hold it
        // back.
        boolean noAnswer = !answered && failuresInARow > 0;
        lookFailed = noAnswer && !whole && !limited && !pace.failing() && !lookFailed;
        boolean failed = limited || (noAnswer && !lookFailed);
        boolean leftOver = !waiting.isEmpty();
        waiting.clear();
        running = false;
        givenUp = false;
        if (failed) {
            pace.failed();
            failingSince = failingSince.or(() -> Optional.of(clock.instant()));
            requests.refuseAll(failure());
            // The host's own pace holds back now; when it is back, all are asked at once.
            references.values().forEach(state -> state.notBefore = Long.MIN_VALUE);
        } else if (lookFailed) {
            problem = Optional.empty();
        } else if (answered || references.isEmpty()) {
            wellSince = pace.failing() ? startedAt : wellSince;
            pace.succeeded();
            problem = Optional.empty();
            failingSince = Optional.empty();
        }
        Duration took = Duration.ofNanos(loop.nanos() - startedAt);
        if (whole) {
            passes++;
        }
        if (overdue && !failed && !leftOver) {
            schedule(Duration.ZERO);
        } else if (whole || failed) {
            schedule(leftOver || limited ? Pace.max(pace.next(took), pause()) : pace.next(took));
        }
        port.passed(this, whole, took, problem);
        if (mayLook() && !soon.isEmpty()) {
            begin(false, List.copyOf(soon));
        }
    }

    /** Whether references may be asked between the passes. */
    private boolean mayLook() {
        return !running && !overdue && !pace.failing() && notBefore.isEmpty() && passes > 0;
    }

    /** How long the registry wants to be left alone, or how long its limit must be spread. */
    private Duration pause() {
        Instant now = clock.instant();
        Duration asked = notBefore.map(until -> Duration.between(now, until)).orElse(Duration.ZERO);
        return port.allowance()
                .map(allowance -> Pace.max(asked, allowance.spacing(now)))
                .orElse(asked);
    }
}
