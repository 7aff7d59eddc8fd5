package io.urunner.agent.run;

import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All that one registry host is asked: a schedule, a pace and a bounded number of requests in flight of its own, so that a
 * host that hangs delays no other. Lives on the loop.
 *
 * <p>Whatever happens elsewhere in the agent, here it is bounded: a reference is asked for once per interval by a pass, once
 * more where its workload changed since, and as often as {@linkplain Hints hints} may; nothing else is asked for twice
 * within an interval.
 *
 * <p>A pass asks every reference once. It asks one at a time until the host answered, then several at once: a host that
 * is down gets one or two questions, a rejected credential is shown once, and a limit is known before it is used up. What
 * failed last time comes last.
 */
final class HostQueue {
    private static final Logger LOG = LoggerFactory.getLogger(HostQueue.class);

    /** So many requests wait at most. */
    private static final int MOST_REQUESTS = 10_000;

    /** A limit that is used up for longer is not waited for. */
    private static final Duration SOON = Duration.ofMinutes(1);

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

    private final Deque<Request<?>> requests = new ArrayDeque<>();
    /** By name of a request when it was sent. */
    private final Map<String, Long> sent = new HashMap<>();

    private int sending;
    /** Whether a request comes next, where a question could, too. */
    private boolean requestsTurn = true;

    private boolean waitingForLimit;
    private Optional<Instant> noRequestsBefore = Optional.empty();

    private boolean running;
    private boolean overdue;
    private boolean whole;
    private boolean answered;
    private boolean limited;
    /** Whether the last question between the passes failed. */
    private boolean lookFailed;

    private int failuresInARow;
    private int quota;
    private long startedAt;
    private long nextAt;
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

    /**
     * A request beside the questions for tags.
     *
     * @param <T> what is answered
     */
    interface Request<T> {
        /** Names it: the same is sent once per interval. */
        String what();

        /** Sends it, on another thread, and waits for the answer. */
        T send() throws RegistryException, InterruptedException;

        /** Told the answer, on the loop; or else {@link #failed}. */
        void answered(T answer);

        /** It was not sent, or not answered. On the loop. */
        void failed(String words);

        /** Whether it is for people who want to know whether a registry that fails still does. */
        default boolean evenWhileFailing() {
            return false;
        }
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
        nextAt = loop.nanos();
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
     * @param request what to send, told of its end later
     */
    void send(Request<?> request) {
        Optional<String> refusal = refusal(request);
        if (refusal.isPresent()) {
            refuse(request, refusal.get());
            return;
        }
        sent.put(request.what(), loop.nanos());
        requests.add(request);
        pump();
    }

    private Optional<String> refusal(Request<?> request) {
        Instant now = clock.instant();
        if (isWithinInterval(sent.getOrDefault(request.what(), Long.MIN_VALUE))) {
            port.runaway(request.what());
            return Optional.of("a defect of the agent: it asked for " + request.what() + " twice within an interval");
        }
        Optional<Instant> wait = Stream.of(
                        notBefore,
                        noRequestsBefore,
                        port.allowance()
                                .filter(allowance -> allowance.left(now) == 0)
                                .map(WatchedRegistry.Allowance::resets)
                                .filter(now.plus(SOON)::isBefore))
                .flatMap(Optional::stream)
                .filter(now::isBefore)
                .max(Instant::compareTo);
        if (wait.isPresent()) {
            return Optional.of(host + " wants to be left alone until " + wait.get());
        }
        if (pace.failing() && !request.evenWhileFailing()) {
            return Optional.of(failure());
        }
        return requests.size() < MOST_REQUESTS
                ? Optional.empty()
                : Optional.of("more than " + MOST_REQUESTS + " requests wait for " + host);
    }

    private String failure() {
        return problem.map(Resolution.Problem::message).orElse(host + " does not answer");
    }

    private void refuse(Request<?> request, String words) {
        loop.execute(() -> request.failed(words));
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

    /** Begins the next pass now, or after the one that runs; a host that backs off is left alone. */
    void askAnew() {
        if (running) {
            overdue = true;
        } else if (!pace.failing() && notBefore.isEmpty()) {
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

    private void due() {
        if (running) {
            overdue = true;
            return;
        }
        long now = loop.nanos();
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
        sent.values().removeIf(moment -> !isWithinInterval(moment));
        running = true;
        overdue = false;
        this.whole = whole;
        startedAt = loop.nanos();
        notBefore = Optional.empty();
        answered = false;
        limited = false;
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
        while (inFlight.size() + sending < concurrency && !allowanceUsedUp()) {
            boolean mayAsk = !waiting.isEmpty() && quota > 0 && (answered || inFlight.isEmpty());
            if (maySend() && (requestsTurn || !mayAsk)) {
                requestsTurn = false;
                sendNext(requests.remove());
            } else if (mayAsk) {
                requestsTurn = true;
                askNext();
            } else {
                break;
            }
        }
        if (running && inFlight.isEmpty() && (waiting.isEmpty() || quota <= 0 || allowanceUsedUp())) {
            end();
        } else if (!requests.isEmpty() && allowanceUsedUp() && !waitingForLimit) {
            waitingForLimit = true;
            loop.after(untilReset(), () -> {
                waitingForLimit = false;
                pump();
            });
        }
    }

    /** One of several requests in flight is kept for questions: they never wait for something that hangs. */
    private boolean maySend() {
        return !requests.isEmpty() && (sending < concurrency - 1 || (concurrency == 1 && inFlight.isEmpty()));
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

    private <T> void sendNext(Request<T> request) {
        sending++;
        sent.put(request.what(), loop.nanos());
        port.elsewhere(() -> {
            Runnable outcome = () -> request.failed("a defect of the agent");
            try {
                T answer = request.send();
                outcome = () -> request.answered(answer);
            } catch (RegistryException e) {
                outcome = () -> failed(request, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                outcome = () -> request.failed("the agent ends");
            } catch (RuntimeException e) {
                LOG.error("{} could not be read; this is a defect", request.what(), e);
                outcome = () -> request.failed("a defect of the agent: " + e);
            } finally {
                Runnable told = outcome;
                loop.execute(() -> {
                    sending--;
                    try {
                        told.run();
                    } finally {
                        pump();
                    }
                });
            }
        });
    }

    /** What limits reads may not limit questions: where pulls are counted, {@code HEAD} is free. */
    private void failed(Request<?> request, RegistryException e) {
        if (Resolution.of(e) instanceof Resolution.RateLimited limit) {
            noRequestsBefore = limit.until();
        }
        request.failed(Optional.ofNullable(e.getMessage()).orElseGet(e::toString));
    }

    private Duration untilReset() {
        Instant now = clock.instant();
        Duration left = port.allowance()
                .map(allowance -> Duration.between(now, allowance.resets()))
                .orElse(Duration.ZERO);
        return Pace.max(left, Duration.ofMillis(100));
    }

    private boolean allowanceUsedUp() {
        return port.allowance()
                .map(allowance -> allowance.left(clock.instant()) <= inFlight.size() + sending)
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
        if (failed) {
            pace.failed();
            failingSince = failingSince.or(() -> Optional.of(clock.instant()));
            requests.forEach(request -> {
                sent.remove(request.what());
                refuse(request, failure());
            });
            requests.clear();
            // The host's own pace holds back now; when it is back, all are asked at once.
            references.values().forEach(state -> state.notBefore = Long.MIN_VALUE);
        } else if (lookFailed) {
            problem = Optional.empty();
        } else if (answered || references.isEmpty()) {
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
