package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The passes over all questions for one host: when the next one begins, what it asks, and when it is over. On the loop. */
final class Passes {
    /** How often {@link #refresh} has an effect, if the interval is longer. */
    private static final Duration REFRESH_INTERVAL = Duration.ofMinutes(1);

    /** With no more than this left of a limit, no question is asked early, not even the one most likely to be answered. */
    private static final int LEAST_FOR_EARLY_QUESTION = 10;

    private final Duration interval;
    private final Loop loop;
    private final InstantSource clock;
    private final HostQueue.Port port;
    private final Backlog backlog;
    private final PassBudget budget;
    private final Runnable due;

    private Loop.Timer timer = () -> {};
    private long nextAt;
    private boolean running;
    private long startedAt;
    /** Whether another pass follows the current one at once. */
    private boolean overdue;

    private long completed;
    private Duration cycle = Duration.ZERO;
    private Optional<Long> refreshedAt = Optional.empty();
    private Loop.Timer laterRefresh = () -> {};

    /** {@code due} is run when it is time for a pass: it calls {@link #scheduleNext} and {@link #begin}. */
    Passes(HostQueue.Parts host, Backlog backlog, PassBudget budget, Runnable due) {
        interval = host.interval();
        loop = host.loop();
        clock = host.clock();
        port = host.port();
        this.backlog = backlog;
        this.budget = budget;
        this.due = due;
        nextAt = loop.nanos();
    }

    void start() {
        schedule(Duration.ZERO);
    }

    void stop() {
        timer.cancel();
        timer = () -> {};
        laterRefresh.cancel();
    }

    boolean running() {
        return running;
    }

    /** How many passes were completed. */
    long completed() {
        return completed;
    }

    /** When the next pass that may ask something begins, in the loop's nanoseconds. */
    long nextAt() {
        return budget.usedUp()
                .map(limit -> Math.max(
                        nextAt, loop.nanos() + limit.rest(clock.instant()).toNanos()))
                .orElse(nextAt);
    }

    /** How long it takes to ask all questions once, judging by the last pass. */
    Duration cycle() {
        return cycle;
    }

    /** It takes at least this long to ask all questions once. */
    void extendCycle(Duration least) {
        cycle = Pace.max(cycle, least);
    }

    // ---- when

    private void schedule(Duration delay) {
        nextAt = loop.nanos() + delay.toNanos();
        timer.cancel();
        timer = loop.after(delay, due);
    }

    /** Schedules the pass after the one that is due now. */
    void scheduleNext() {
        schedule(interval);
    }

    /** An asker's pause has changed: the one with the longest pause does not hold back the others. */
    void reschedule() {
        Optional<Duration> paused = backlog.pausedFor();
        if (paused.isPresent()) {
            schedule(paused.get());
        } else if (nextAt - loop.nanos() > interval.toNanos()) {
            schedule(interval);
        }
    }

    /** Starts the next pass now, or after the current one, unless the host is in back-off. Takes effect once a minute. */
    void refresh() {
        if (!running && backlog.pausedFor().isPresent()) {
            return;
        }
        long now = loop.nanos();
        long apart = Pace.min(interval, REFRESH_INTERVAL).toNanos();
        if (refreshedAt.isPresent() && now - refreshedAt.get() < apart) {
            laterRefresh.cancel();
            laterRefresh = loop.after(Duration.ofNanos(apart - (now - refreshedAt.get())), this::refresh);
            return;
        }
        refreshedAt = Optional.of(now);
        backlog.all().forEach(asked -> asked.restsUntil = Optional.empty());
        if (running) {
            overdue = true;
        } else {
            schedule(Duration.ZERO);
        }
    }

    // ---- what

    /**
     * Adds what is due to the backlog, unless the budget is used up: then the pass is postponed.
     *
     * @param inFlight the questions that are being asked
     * @return false if it was postponed
     */
    boolean begin(Set<Question> inFlight) {
        Optional<Allowance> usedUp = budget.usedUp();
        if (usedUp.isPresent()) {
            if (!backlog.isEmpty()) {
                budget.isShort();
            }
            schedule(Pace.max(usedUp.get().rest(clock.instant()), AskerPace.SHORTEST));
            return false;
        }
        cycle = backlog.cycle();
        Map<Asker, List<Question>> due = backlog.due(question -> isDue(question) && !inFlight.contains(question));
        List<Question> all = due.values().stream().flatMap(List::stream).toList();
        if (all.isEmpty() && !backlog.isEmpty() && !running && !backlog.anyWaits()) {
            backlog.pausedFor().ifPresent(this::schedule);
            return true;
        }
        budget.begins(limit -> floor(limit, all));
        backlog.forgetFailures();
        due.forEach(this::add);
        if (!running) {
            running = true;
            startedAt = loop.nanos();
            backlog.passBegins(inFlight);
        }
        return true;
    }

    private boolean isDue(Question question) {
        Asked asked = backlog.asked(question);
        long now = loop.nanos();
        // In a long pass, what was asked late in one interval is still asked in the next.
        boolean askedAlready = running && asked.at != Long.MIN_VALUE && now - asked.at < interval.toNanos() / 2;
        return !askedAlready
                && !asked.rests(now)
                && backlog.pace(question.asker()).pausedUntil().isEmpty();
    }

    private void add(Asker asker, List<Question> due) {
        Set<String> namespaces = new HashSet<>();
        for (Question question : due) {
            backlog.asked(question).early = false;
            backlog.add(question, true);
            if (namespaces.size() < AskerPace.SEVERAL) {
                namespaces.addAll(port.namespaces(question));
            }
        }
        Optional<Allowance> limit = port.allowance(asker);
        backlog.pace(asker)
                .begins(namespaces.size(), limit.map(some -> floor(some, due)).orElse(0L));
        Instant now = clock.instant();
        boolean enough = Stream.of(limit, port.budget())
                .flatMap(Optional::stream)
                .allMatch(some -> some.left(now) > LEAST_FOR_EARLY_QUESTION);
        if (port.hasTenants() && enough) {
            // What hangs or fails for one namespace does not come first.
            backlog.steadiest(asker).ifPresent(backlog::hint);
        }
    }

    /** How much of a limit a pass leaves unused. */
    private long floor(Allowance limit, List<Question> due) {
        long neverAsked = due.stream()
                .filter(question -> backlog.asked(question).at == Long.MIN_VALUE)
                .count();
        // What is new for one tenant takes little of what the others need until the reset.
        int part = port.hasTenants() ? 4 : 2;
        return limit.floor(due.size(), (int) neverAsked, part, interval, clock.instant());
    }

    /** Ends the current pass if it has reached everything. Returns how long it took; empty if it goes on, or none runs. */
    Optional<Duration> endIfOver() {
        if (!running || !backlog.isPassOver()) {
            return Optional.empty();
        }
        running = false;
        completed++;
        budget.passed(Pace.max(interval, REFRESH_INTERVAL).multipliedBy(2));
        if (overdue) {
            overdue = false;
            schedule(backlog.pausedFor().orElse(Duration.ZERO));
        }
        return Optional.of(Duration.ofNanos(loop.nanos() - startedAt));
    }
}
