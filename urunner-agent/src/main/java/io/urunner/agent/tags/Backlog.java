package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.Turns;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The questions for one host: when each was last asked, which of them wait and in which order, and the pace of their
 * askers. On the loop.
 */
final class Backlog {
    /** How many questions of one namespace wait at most: the others are asked in later passes. */
    private static final int MOST = 200_000;

    /** How many failures in a row end a namespace's part of a pass, if there are other namespaces. */
    private static final int MOST_FAILURES = 3;

    private final Duration interval;
    private final Loop loop;
    private final InstantSource clock;
    private final HostQueue.Port port;
    private final Map<Question, Asked> questions = new LinkedHashMap<>();
    /** Those that were asked less than an interval ago and are no longer tracked: one that comes back is not new. */
    private final Map<Question, Asked> gone = new LinkedHashMap<>();

    private final Map<Asker, AskerPace> paces = new LinkedHashMap<>();
    private final Turns<Question> waiting = new Turns<>(MOST);
    /** Those of the waiting questions that come first when it is the turn of a hint. */
    private final Turns<Question> hinted = new Turns<>(MOST);

    private boolean hintsTurn = true;
    /** What the current pass has not reached yet. */
    private final Set<Question> left = new HashSet<>();

    /** By namespace, how many of its questions in a row got no answer in the current pass. */
    private final Map<String, Integer> failuresInARow = new HashMap<>();

    private Optional<Instant> lastAnswer = Optional.empty();

    Backlog(HostQueue.Parts host) {
        interval = host.interval();
        loop = host.loop();
        clock = host.clock();
        port = host.port();
    }

    // ---- what is to be asked

    /** Tracks this question. Returns whether it was not asked within the interval. */
    boolean track(Question question) {
        Asked before = gone.remove(question);
        questions.put(question, before == null ? new Asked() : before);
        pace(question.asker()).questions++;
        return before == null || !isWithinInterval(before.at);
    }

    /** Stops tracking this question. */
    void untrack(Question question) {
        Asked asked = questions.remove(question);
        if (asked != null) {
            leave(question);
            if (isWithinInterval(asked.at)) {
                gone.put(question, asked);
            }
            pace(question.asker()).questions--;
            left.remove(question);
        }
    }

    void forgetOld() {
        gone.values().removeIf(asked -> !isWithinInterval(asked.at));
    }

    boolean isWithinInterval(long moment) {
        return moment != Long.MIN_VALUE && loop.nanos() - moment < interval.toNanos();
    }

    boolean isEmpty() {
        return questions.isEmpty();
    }

    Set<Question> questions() {
        return questions.keySet();
    }

    Optional<Asked> find(Question question) {
        return Optional.ofNullable(questions.get(question));
    }

    /** When a tracked question was asked. */
    Asked asked(Question question) {
        return Objects.requireNonNull(questions.get(question), "what waits is tracked");
    }

    Collection<Asked> all() {
        return questions.values();
    }

    // ---- for whom

    Map<Asker, AskerPace> paces() {
        return paces;
    }

    AskerPace pace(Asker asker) {
        return paces.computeIfAbsent(asker, added -> new AskerPace(interval, loop, clock));
    }

    /** The pace of an asker, if it has asked or is about to. */
    Optional<AskerPace> find(Asker asker) {
        return Optional.ofNullable(paces.get(asker));
    }

    /** How long all askers with questions are paused; empty if one may ask. */
    Optional<Duration> pausedFor() {
        Duration least = Duration.ofNanos(Long.MAX_VALUE);
        boolean any = false;
        for (AskerPace pace : paces.values()) {
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

    /** All questions of an asker are asked as soon as its own pace allows. */
    void endRest(Asker asker) {
        questions.forEach((question, asked) -> {
            if (question.asker().equals(asker)) {
                asked.notBefore = Long.MIN_VALUE;
            }
        });
    }

    // ---- what waits

    boolean waits(Question question) {
        return waiting.contains(question);
    }

    boolean anyWaits() {
        return !waiting.isEmpty();
    }

    /** This waits from now on; {@code pass} says whether because it is due. */
    void add(Question question, boolean pass) {
        boolean waits = waiting.contains(question);
        if (waiting.add(question, port.namespaces(question)) && !waits) {
            pace(question.asker()).waits(pass);
        }
    }

    /** This waiting question comes first when it is the turn of a hint. */
    void hint(Question question) {
        hinted.add(question, port.namespaces(question));
    }

    /** Makes this question come first, and the next turn that of a hint. */
    private void hintNext(Question question) {
        hintsTurn = true;
        hint(question);
    }

    /** Takes out the next question that may be asked, of a namespace that may have a turn, and records that it is being asked. */
    Optional<Turns.Turn<Question>> next(Predicate<String> namespace, Predicate<Question> may) {
        Optional<Turns.Turn<Question>> next = hintsTurn ? hinted.next(namespace, may) : Optional.empty();
        hintsTurn = next.isEmpty();
        next = next.or(() -> waiting.next(namespace, may));
        next.ifPresent(turn -> {
            hinted.remove(turn.item());
            waiting.remove(turn.item());
            Asked asked = asked(turn.item());
            asked.at = loop.nanos();
            asked.restsUntil = Optional.empty();
        });
        return next;
    }

    /** It no longer waits. */
    private void leave(Question question) {
        hinted.remove(question);
        if (waiting.remove(question)) {
            left.remove(question);
            pace(question.asker()).leaves();
        }
    }

    void leaveAll() {
        List.copyOf(waiting.all()).forEach(this::leave);
    }

    void leaveAll(Asker asker) {
        waiting.all().stream()
                .filter(question -> question.asker().equals(asker))
                .forEach(this::leave);
    }

    /** The questions of a namespace that fail one after the other make way. */
    private void leaveUnanswered(String namespace) {
        waiting.all().stream()
                .filter(question -> !asked(question).answers()
                        && port.namespaces(question).stream().allMatch(namespace::equals))
                .forEach(this::leave);
    }

    /** The waiting question that has been answered for the longest time: it shows best whether the host answers. */
    Optional<Question> steadiest(Asker asker) {
        return waiting.all().stream()
                .filter(question ->
                        question.asker().equals(asker) && asked(question).answers())
                .min(Comparator.comparingLong(question -> asked(question).answersSince));
    }

    // ---- what was answered

    /** When any question was last answered. */
    Optional<Instant> lastAnswer() {
        return lastAnswer;
    }

    /** A question was answered in this namespace's turn. */
    void answered(Question question, String namespace) {
        pace(question.asker()).answered();
        failuresInARow.remove(namespace);
        lastAnswer = Optional.of(clock.instant());
        find(question).ifPresent(asked -> asked.answered(loop.nanos()));
    }

    /** A question got no useful answer in this namespace's turn. */
    void failed(Question question, String namespace) {
        find(question).ifPresent(asked -> asked.failed(loop.nanos(), interval));
        if (failuresInARow.merge(namespace, 1, Integer::sum) >= MOST_FAILURES && port.hasTenants()) {
            leaveUnanswered(namespace);
        }
    }

    /** An asker gets no answers: its next question is one that was answered before; if that was tried, it asks no more. */
    void probeOrLeave(Asker asker) {
        AskerPace pace = pace(asker);
        Optional<Question> probe = pace.hasProbed() ? Optional.empty() : steadiest(asker);
        probe.ifPresentOrElse(
                question -> {
                    pace.probes();
                    hintNext(question);
                },
                () -> leaveAll(asker));
    }

    // ---- passes

    /** A pass becomes due: failures of the one before do not count. */
    void forgetFailures() {
        failuresInARow.clear();
    }

    /** A pass covers all that waits, and these. */
    void passBegins(Set<Question> inFlight) {
        left.addAll(waiting.all());
        left.addAll(inFlight);
    }

    /** A question has an outcome. */
    void over(Question question) {
        left.remove(question);
    }

    /** Whether the current pass has reached everything. */
    boolean isPassOver() {
        return left.isEmpty();
    }

    /**
     * What a pass asks: first what was asked longest ago, last what failed. If nothing was answered recently, what was
     * answered before shows best whether the host is back.
     */
    Map<Asker, List<Question>> due(Predicate<Question> may) {
        Map<Asker, List<Question>> due = new LinkedHashMap<>();
        questions.entrySet().stream()
                .filter(entry -> may.test(entry.getKey()))
                .sorted(Comparator.comparing((Map.Entry<Question, Asked> entry) ->
                                pace(entry.getKey().asker()).failing()
                                        ? !entry.getValue().answers()
                                        : entry.getValue().failures > 0)
                        .thenComparingLong(entry -> entry.getValue().at))
                .map(Map.Entry::getKey)
                .forEach(question -> due.computeIfAbsent(question.asker(), added -> new ArrayList<>())
                        .add(question));
        return due;
    }

    /** How long it takes to ask all questions once: how long ago the one with the oldest turn was asked. */
    Duration cycle() {
        long now = loop.nanos();
        // A failing asker asks only one or two questions: their age says nothing about the others.
        return Duration.ofNanos(questions.entrySet().stream()
                .filter(entry -> entry.getValue().isAskedInTurn(now)
                        && pace(entry.getKey().asker()).isHealthySince(entry.getValue().at))
                .mapToLong(entry -> now - entry.getValue().at)
                .max()
                .orElse(0));
    }
}
