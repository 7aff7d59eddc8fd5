package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.plan.Brief;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import io.urunner.agent.text.Phrases;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
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
 * <p>A pass asks every question once. Namespaces take {@linkplain Turns turns}, however many questions each has, and one that
 * fails or hangs leaves room for the others. What holds back one {@linkplain AskerPace asker} holds back no other. What
 * failed last time, or was never answered, comes last.
 */
final class HostQueue {
    /** How often at most everything is asked again, if the interval is longer. */
    private static final Duration ASK_ANEW = Duration.ofMinutes(1);

    private static final Duration A_MOMENT = Duration.ofMillis(100);

    private static final Duration CLOCKS_APART = Duration.ofMillis(50);

    /** How many failures in a row end a namespace's part of a pass, if there are other namespaces. */
    private static final int FAILURES_THAT_END = 3;

    /** With no more than this left of a limit, no question is asked early, not even the most useful one. */
    private static final int MOST_FIRST = 10;

    /** How many waiting askers are reported. */
    private static final int MOST_WAITS = 100;

    private final String host;
    private final Duration interval;
    private final int concurrency;
    private final Loop loop;
    private final InstantSource clock;
    private final Port port;
    private final Backlog backlog;
    private final PassBudget budget;
    private final Map<Question, InFlight> inFlight = new HashMap<>();
    /** Whether an answer is being reported. */
    private boolean telling;

    /** By namespace, how many of its questions in a row got no answer. */
    private final Map<String, Integer> failuresInARow = new HashMap<>();

    private final Requests requests;
    /** Whether a request comes next if a question could as well. */
    private boolean requestsTurn = true;

    private Optional<Long> askedAnew = Optional.empty();
    private Loop.Timer anewLater = () -> {};
    private boolean waitingForLimit;

    private boolean running;
    private boolean overdue;
    private boolean looked;
    private long startedAt;
    private long nextAt;
    private Duration round = Duration.ZERO;
    private Optional<Instant> lastAnswer = Optional.empty();
    private Loop.Timer timer = () -> {};
    private long passes;

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

    /** A question that is being asked; {@code namespace} is the one whose turn it was. */
    private record InFlight(String namespace, Instant asked, long begun) {}

    HostQueue(String host, Duration interval, int concurrency, Loop loop, InstantSource clock, Port port) {
        this.host = host;
        this.interval = interval;
        this.concurrency = concurrency;
        this.loop = loop;
        this.clock = clock;
        this.port = port;
        backlog = new Backlog(interval, loop, clock, port::namespaces);
        budget = new PassBudget(port::budget, loop, clock);
        requests = new Requests(host, interval, loop, clock, port);
        nextAt = loop.nanos();
    }

    String host() {
        return host;
    }

    /** Starts the schedule with a pass now. */
    void start() {
        schedule(Duration.ZERO);
    }

    /** Ends the schedule; answers that still arrive are processed. */
    void stop() {
        timer.cancel();
        timer = () -> {};
        anewLater.cancel();
        backlog.leaveAll();
        requests.clear();
    }

    /** Asks this from now on: at once if the host is healthy and idle, otherwise in its next pass. */
    void track(Question question) {
        if (backlog.find(question).isPresent()) {
            return;
        }
        if (backlog.track(question)) {
            askSoon(question);
        }
        if (passes > 0) {
            scheduleAnew();
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
                .filter(one -> one.looked.filter(backlog::isWithinInterval).isEmpty());
        if (asked.isPresent()) {
            asked.get().looked = Optional.of(loop.nanos());
            askSoon(question);
        }
    }

    /** Asks this next if the host is healthy; if it is being asked, then after that answer. */
    void lookNext(Question question) {
        if (inFlight.containsKey(question)) {
            backlog.find(question).ifPresent(asked -> asked.again = true);
        } else {
            toWaitBeforeItsTime(question);
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

    /** Whether this may be asked between the passes. */
    private boolean mayLook(Question question) {
        Asker asker = question.asker();
        Instant now = clock.instant();
        return (running || passes > 0)
                && backlog.find(question).isPresent()
                && backlog.pace(asker).pausedUntil().isEmpty()
                && Stream.of(port.allowance(asker), port.budget())
                        .flatMap(Optional::stream)
                        .allMatch(limit -> limit.spare(now) > 0);
    }

    private void askSoon(Question question) {
        toWaitBeforeItsTime(question);
        pump();
    }

    private void toWaitBeforeItsTime(Question question) {
        if (mayLook(question) && !pending(question)) {
            backlog.asked(question).extra = true;
            looked = true;
            backlog.add(question, false);
        }
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

    /** Rounds a time, so that two clocks read one after the other yield the same when it is reported again. */
    private Instant instant(long nanos) {
        return Brief.end(clock.instant().plusNanos(nanos - loop.nanos()).minus(CLOCKS_APART));
    }

    /** Whether the same was sent within the interval, so that it would be refused. */
    boolean wasSent(String what) {
        return requests.wasSent(what);
    }

    private String failure(Asker asker) {
        return backlog.pace(asker).problem().map(Resolution.Problem::message).orElse(host + " does not answer");
    }

    /**
     * Starts the next pass now, or after the current one; a host in back-off is left alone. Repeated calls have an effect
     * once a minute.
     */
    void askAnew() {
        if (!running && allPaused().isPresent()) {
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
        backlog.all().forEach(asked -> asked.restsUntil = Optional.empty());
        if (running) {
            overdue = true;
        } else {
            schedule(Duration.ZERO);
        }
    }

    /** Whether it is about to be asked, or is being asked. */
    boolean pending(Question question) {
        return inFlight.containsKey(question) || backlog.waits(question);
    }

    boolean running() {
        return running || !inFlight.isEmpty() || backlog.anyWaits();
    }

    /** What is wrong with the host for an asker, if anything. */
    Optional<Resolution.Problem> problem(Asker asker) {
        return Optional.ofNullable(backlog.paces().get(asker)).flatMap(AskerPace::problem);
    }

    /** Whether the host must not be asked by an asker, as opposed to not answering. */
    boolean isHeldBack(Asker asker) {
        AskerPace pace = backlog.paces().get(asker);
        return pace != null && pace.pausedUntil().isPresent() && (pace.isLimited() || !pace.failing());
    }

    /** What prevents an asker from asking, and until when; empty if nothing does. */
    Optional<HostStatus.Wait> waits(Asker asker) {
        return pauses(asker).or(this::waitsForBudget);
    }

    private Optional<HostStatus.Wait> pauses(Asker asker) {
        AskerPace pace = backlog.paces().get(asker);
        Optional<Long> paused = pace == null ? Optional.empty() : pace.pausedUntil();
        if (pace == null || paused.isEmpty()) {
            return Optional.empty();
        }
        Instant until = instant(paused.get());
        return pace.spaced()
                .map(spaced -> new HostStatus.Wait(
                        asker.namespace(), Deferral.RATE_LIMITED, spaced.why(), spaced.since(), until))
                .or(() -> pace.problem()
                        .map(problem -> new HostStatus.Wait(
                                asker.namespace(),
                                problem.kind(),
                                problem.message(),
                                pace.failingSince().orElseGet(clock::instant),
                                until)));
    }

    /** The wait caused by our own budget, if it is too small to ask everything in each pass; else empty. */
    Optional<HostStatus.Wait> waitsForBudget() {
        return budget.shortSince()
                .map(since -> new HostStatus.Wait(
                        Optional.empty(),
                        Deferral.REQUEST_BUDGET,
                        "the budget of the registry (registries[].budget) is too small to ask for everything in each"
                                + " interval",
                        since,
                        instant(nextPass())));
    }

    /** When the next pass that may ask something begins. */
    private long nextPass() {
        Instant now = clock.instant();
        return port.budget()
                .filter(limit -> limit.left(now) <= 0)
                .map(limit -> Math.max(nextAt, loop.nanos() + limit.rest(now).toNanos()))
                .orElse(nextAt);
    }

    /** The earliest time at which a question is asked again; empty if that is in the next pass. */
    Optional<Instant> restsUntil(Question question) {
        long rests = restsFor(question);
        return rests > 0 ? Optional.of(instant(loop.nanos() + rests)) : Optional.empty();
    }

    private long restsFor(Question question) {
        long now = loop.nanos();
        long asker = Optional.ofNullable(backlog.paces().get(question.asker()))
                .flatMap(AskerPace::pausedUntil)
                .map(until -> until - now)
                .orElse(0L);
        long own = backlog.find(question).map(asked -> asked.restsFor(now)).orElse(0L);
        return Math.max(asker, own);
    }

    Optional<Instant> failingSince(Asker asker) {
        return Optional.ofNullable(backlog.paces().get(asker)).flatMap(AskerPace::failingSince);
    }

    HostStatus status() {
        List<AskerPace> asking = backlog.paces().values().stream()
                .filter(one -> one.questions > 0 && one.isHeard())
                .toList();
        // Something is wrong with the host if no asker is answered.
        Optional<AskerPace> sick = asking.stream().allMatch(one -> one.problem().isPresent())
                ? asking.stream().findFirst()
                : Optional.empty();
        return new HostStatus(
                host,
                (int) backlog.questions().stream()
                        .map(Question::reference)
                        .distinct()
                        .count(),
                !asking.isEmpty(),
                !asking.isEmpty() && sick.isEmpty(),
                sick.flatMap(AskerPace::problem).map(Resolution.Problem::message),
                sick.flatMap(AskerPace::failingSince),
                lastAnswer,
                Stream.concat(
                                waitsForBudget().stream(),
                                backlog.paces().entrySet().stream()
                                        .filter(entry -> entry.getValue().questions > 0)
                                        .flatMap(entry -> pauses(entry.getKey()).stream()))
                        .limit(MOST_WAITS)
                        .toList(),
                running ? Optional.empty() : Optional.of(instant(nextPass())),
                passes);
    }

    /** How long {@linkplain #send requests} have been under way without one ending. */
    Duration requestsStandStill() {
        return requests.standStill();
    }

    /** When this is asked next; empty while it is being asked. */
    Optional<Instant> next(Question question) {
        if (pending(question)) {
            return Optional.empty();
        }
        long now = loop.nanos();
        return Optional.of(instant(Math.max(nextPass(), now + restsFor(question))));
    }

    private void schedule(Duration delay) {
        nextAt = loop.nanos() + delay.toNanos();
        timer.cancel();
        timer = loop.after(delay, this::due);
    }

    /** How long it takes to ask all questions once, judging by the last pass. */
    Duration round() {
        return round;
    }

    private void due() {
        // Comes first: whatever fails below is then retried.
        schedule(interval);
        backlog.forgetOld();
        requests.forgetOld();
        List.copyOf(backlog.paces().entrySet()).stream()
                .filter(entry -> entry.getValue().isIdle())
                .forEach(entry -> forget(entry.getKey()));
        Instant clockNow = clock.instant();
        Optional<Allowance> usedUp = port.budget().filter(limit -> limit.left(clockNow) <= 0);
        if (usedUp.isPresent()) {
            if (!backlog.isEmpty()) {
                budget.isShort();
            }
            schedule(Pace.max(usedUp.get().rest(clockNow), A_MOMENT));
            return;
        }
        round = backlog.round();
        Map<Asker, List<Question>> due = backlog.due(this::isDue);
        List<Question> all = due.values().stream().flatMap(List::stream).toList();
        if (all.isEmpty() && !backlog.isEmpty() && !running && !backlog.anyWaits()) {
            allPaused().ifPresent(this::schedule);
            pump();
            return;
        }
        budget.begins(limit -> floor(limit, all));
        failuresInARow.clear();
        due.forEach(this::begin);
        if (!running) {
            running = true;
            startedAt = loop.nanos();
            backlog.passBegins(inFlight.keySet());
        }
        pump();
    }

    private boolean isDue(Question question) {
        Asked asked = backlog.asked(question);
        long now = loop.nanos();
        // In a long pass, what was asked late in one interval is still asked in the next.
        boolean askedAlready = running && asked.at != Long.MIN_VALUE && now - asked.at < interval.toNanos() / 2;
        return !askedAlready
                && !asked.rests(now)
                && !inFlight.containsKey(question)
                && backlog.pace(question.asker()).pausedUntil().isEmpty();
    }

    private void begin(Asker asker, List<Question> due) {
        Set<String> namespaces = new HashSet<>();
        for (Question question : due) {
            backlog.asked(question).extra = false;
            backlog.add(question, true);
            if (namespaces.size() < AskerPace.SEVERAL) {
                namespaces.addAll(port.namespaces(question));
            }
        }
        Optional<Allowance> limit = port.allowance(asker);
        backlog.pace(asker)
                .begins(namespaces.size(), limit.map(some -> floor(some, due)).orElse(0L));
        boolean enough = Stream.of(limit, port.budget())
                .flatMap(Optional::stream)
                .allMatch(some -> some.left(clock.instant()) > MOST_FIRST);
        if (port.hasTenants() && enough) {
            // What hangs or fails for one namespace does not come first.
            backlog.steadiest(asker).ifPresent(backlog::hint);
        }
    }

    private long floor(Allowance limit, List<Question> due) {
        long neverAsked = due.stream()
                .filter(question -> backlog.asked(question).at == Long.MIN_VALUE)
                .count();
        // What is new for one tenant takes little of what the others need until the reset.
        int part = port.hasTenants() ? 4 : 2;
        return limit.floor(due.size(), (int) neverAsked, part, interval, clock.instant());
    }

    /** How long all askers with questions are paused; empty if one may ask. */
    private Optional<Duration> allPaused() {
        Duration least = Duration.ofNanos(Long.MAX_VALUE);
        boolean any = false;
        for (AskerPace pace : backlog.paces().values()) {
            if (pace.questions > 0) {
                Optional<Long> until = pace.pausedUntil();
                if (until.isEmpty()) {
                    return Optional.empty();
                }
                any = true;
                least = Pace.min(least, Duration.ofNanos(until.get() - loop.nanos()));
            }
        }
        return any ? Optional.of(least) : Optional.empty();
    }

    private void pump() {
        if (telling) {
            return; // what the answer leads to is started together
        }
        fill();
        if (underWay() == 0 && backlog.anyWaits() && budget.isUsed(underWay())) {
            budget.isShort();
            backlog.leaveAll();
        }
        for (Map.Entry<Asker, AskerPace> entry : List.copyOf(backlog.paces().entrySet())) {
            leaveIfUsed(entry.getKey(), entry.getValue());
            if (entry.getValue().ends(port.hasTenants())) {
                settled(entry.getKey(), entry.getValue());
            }
        }
        if (running && backlog.isPassOver()) {
            passed();
        } else if (!running && looked && !backlog.anyWaits() && inFlight.isEmpty()) {
            looked = false;
            port.passed(false, Duration.ZERO);
        }
        waitForLimits();
    }

    /** Questions that a limit prevents in this pass are asked in a later one. */
    private void leaveIfUsed(Asker asker, AskerPace pace) {
        Instant now = clock.instant();
        if (pace.onlyWaits()) {
            port.allowance(asker).filter(pace::hasUsed).ifPresent(limit -> {
                backlog.leaveAll(asker);
                space(pace, limit, now);
            });
        } else if (pace.isThrough()) {
            port.allowance(asker).filter(limit -> limit.left(now) <= 0).ifPresent(limit -> space(pace, limit, now));
        }
    }

    private void space(AskerPace pace, Allowance limit, Instant now) {
        Duration spacing = limit.spacing(now);
        long left = limit.left(now);
        if (spacing.compareTo(interval) <= 0) {
            pace.goesOn();
        } else if (left <= 0) {
            pace.spaces(spacing, "the registry's limit is used up");
        } else {
            pace.spaces(
                    spacing,
                    "the registry allows " + Phrases.count(left, "more request") + " until "
                            + Phrases.time(limit.resets()));
            // An answer is valid until the reference's turn.
            round = Pace.max(round, Pace.min(spacing.multipliedBy(pace.questions), AskerPace.LONGEST));
        }
    }

    private void settled(Asker asker, AskerPace pace) {
        if (pace.failing()) {
            requests.refuseAll(asker, failure(asker));
            // Now the asker's own pace holds it back; when that ends, all are asked at once.
            backlog.restNoMore(asker);
        }
        port.settled(asker, pace.problem());
        if (pace.isIdle()) {
            forget(asker);
        }
        scheduleAnew();
    }

    /** The asker with the longest pause does not hold back the others. */
    private void scheduleAnew() {
        Optional<Duration> paused = allPaused();
        if (paused.isPresent()) {
            schedule(paused.get());
        } else if (nextAt - loop.nanos() > interval.toNanos()) {
            schedule(interval);
        }
    }

    private void passed() {
        running = false;
        looked = false;
        passes++;
        budget.passed(Pace.max(interval, ASK_ANEW).multipliedBy(2));
        if (overdue) {
            overdue = false;
            schedule(allPaused().orElse(Duration.ZERO));
        }
        port.passed(true, Duration.ofNanos(loop.nanos() - startedAt));
    }

    private int underWay() {
        return inFlight.size() + requests.underWay();
    }

    private void fill() {
        while (underWay() < concurrency) {
            boolean sent = requestsTurn ? sendNext() || askNext() : askNext() || sendNext();
            if (!sent) {
                break;
            }
        }
    }

    /** One of several slots for requests is reserved for questions: they never wait for something that hangs. */
    private boolean sendNext() {
        if (requests.underWay() >= Math.max(1, concurrency - reserve()) || budget.isUsedForRequests(underWay())) {
            return false;
        }
        requestsTurn = false;
        return requests.sendNext(this::maySend, Math.max(1, concurrency - 2 * reserve()), this::pump);
    }

    private boolean maySend(Asker asker) {
        AskerPace pace = backlog.pace(asker);
        return !(pace.isLimited() && pace.pausedUntil().isPresent())
                && port.allowance(asker)
                        .filter(limit -> limit.left(clock.instant()) <= pace.inFlight() + requests.underWay())
                        .isEmpty();
    }

    private int reserve() {
        return Math.max(1, concurrency / 4);
    }

    private boolean askNext() {
        requestsTurn = true;
        if (budget.isUsed(underWay())) {
            return false;
        }
        if (backlog.paces().values().stream().noneMatch(AskerPace::mayAskNext)) {
            return false;
        }
        Optional<Turns.Turn<Question>> next = backlog.next(this::mayAsk);
        next.ifPresent(turn -> {
            Question question = turn.item();
            Asked asked = backlog.asked(question);
            if (asked.extra) {
                budget.spendsExtra();
            }
            backlog.pace(question.asker()).asks();
            if (asked.answers() && !port.hasTenants()) {
                backlog.pace(question.asker()).probes();
            }
            inFlight.put(question, new InFlight(turn.namespace(), clock.instant(), asked.at));
            port.served(AgentListener.Served.QUESTION, turn.namespace());
            ask(question);
        });
        return next.isPresent();
    }

    /** Asks on another thread; whatever happens there, the question gets an outcome. */
    private void ask(Question question) {
        Consumer<Throwable> failed = e -> answered(question, Resolution.defect(e.toString()));
        try {
            Supplier<Resolution> asking = port.ask(question);
            port.elsewhere(
                    () -> {
                        Resolution outcome = Resolution.defect("it was not asked");
                        try {
                            outcome = asking.get();
                        } finally {
                            Resolution now = outcome;
                            loop.execute(() -> answered(question, now));
                        }
                    },
                    failed);
        } catch (RuntimeException | Error e) {
            loop.execute(() -> failed.accept(e));
        }
    }

    private boolean mayAsk(Question question) {
        AskerPace pace = backlog.pace(question.asker());
        return pace.mayAsk()
                && port.allowance(question.asker()).filter(pace::hasUsed).isEmpty()
                && (!port.hasTenants() || concurrency == 1 || leavesRoom(question));
    }

    /** Questions that hang for one namespace, or were never answered, leave room for others. */
    private boolean leavesRoom(Question question) {
        int most = concurrency - reserve();
        boolean unproven = !backlog.asked(question).answers();
        long others = inFlight.keySet().stream()
                .filter(other -> backlog.find(other).filter(Asked::answers).isEmpty())
                .count();
        if (unproven && others + requests.underWay() >= most) {
            return false;
        }
        return port.namespaces(question).stream()
                .anyMatch(namespace -> inFlight.values().stream()
                                .filter(one -> one.namespace.equals(namespace))
                                .count()
                        < most);
    }

    private void answered(Question question, Resolution outcome) {
        InFlight over = Objects.requireNonNull(inFlight.remove(question), "it was asked");
        String namespace = over.namespace;
        backlog.over(question);
        AskerPace pace = backlog.pace(question.asker());
        pace.over();
        Asked asked = backlog.find(question).orElseGet(Asked::new);
        if (outcome instanceof Resolution.Found || outcome instanceof Resolution.Refused) {
            pace.answered();
            failuresInARow.remove(namespace);
            lastAnswer = Optional.of(clock.instant());
            asked.answered(loop.nanos());
        } else if (outcome instanceof Resolution.Unreachable unreachable) {
            pace.unanswered(unreachable.problem(), unreachable.until());
            failed(asked, namespace);
            if (pace.givesUp()) {
                probeOrLeave(question.asker(), pace);
            }
        } else if (outcome instanceof Resolution.Useless useless) {
            pace.rejected(useless.problem());
            failed(asked, namespace);
        } else if (outcome instanceof Resolution.RateLimited refusal) {
            pace.limited(refusal.problem(), refusal.until());
            backlog.leaveAll(question.asker());
            requests.refuseAll(question.asker(), failure(question.asker()));
        } else if (outcome instanceof Resolution.Rejected rejected) {
            pace.rejected(rejected.problem());
        }
        telling = true;
        try {
            port.answered(question, outcome, over.asked, Duration.ofNanos(loop.nanos() - over.begun));
        } finally {
            telling = false;
            goOn(question, asked);
        }
    }

    private void goOn(Question question, Asked asked) {
        if (asked.again) {
            asked.again = false;
            lookNext(question);
        }
        pump();
    }

    private void failed(Asked asked, String namespace) {
        asked.failed(loop.nanos(), interval);
        if (failuresInARow.merge(namespace, 1, Integer::sum) >= FAILURES_THAT_END && port.hasTenants()) {
            backlog.leaveUnanswered(namespace);
        }
    }

    /** Asks what was answered before, to see whether the host answers nothing, or only some questions. */
    private void probeOrLeave(Asker asker, AskerPace pace) {
        Optional<Question> probe = pace.hasProbed() ? Optional.empty() : backlog.steadiest(asker);
        probe.ifPresentOrElse(
                question -> {
                    pace.probes();
                    backlog.hintNext(question);
                },
                () -> backlog.leaveAll(asker));
    }

    /** Requests wait for a limit that is reset soon; otherwise they are refused. */
    private void waitForLimits() {
        if (!requests.anyWaiting() || waitingForLimit) {
            return;
        }
        Instant now = clock.instant();
        Optional<Instant> budgetResets =
                port.budget().filter(limit -> limit.left(now) <= 0).map(Allowance::resets);
        for (Asker asker : List.copyOf(requests.askers())) {
            Optional<Instant> resets = Stream.of(
                            budgetResets,
                            port.allowance(asker)
                                    .filter(limit -> limit.left(now) <= 0)
                                    .map(Allowance::resets))
                    .flatMap(Optional::stream)
                    .max(Comparator.naturalOrder());
            if (resets.isPresent() && !requests.refusedUntil(asker, resets.get())) {
                waitingForLimit = true;
                loop.after(Pace.max(Pace.min(Duration.between(now, resets.get()), Requests.SOON), A_MOMENT), () -> {
                    waitingForLimit = false;
                    pump();
                });
                return;
            }
        }
    }
}
