package io.urunner.agent.tags;

import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.text.Phrases;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.stream.Stream;

/**
 * The pace of one asker at a host. A limit, a ban or a back-off belongs to its credentials and holds back no other asker.
 * On the loop.
 *
 * <p>A round lasts from its first question until none waits. It asks one question at a time until one is answered, then
 * several at once: a host that is down gets one or two questions, a rejected credential is sent once, and a limit is known
 * before it is used up.
 */
final class AskerPace {
    /** The longest pause, regardless of what a registry says. */
    static final Duration LONGEST = Duration.ofDays(7);

    /** The shortest wait for a limit to be reset. */
    static final Duration SHORTEST = Duration.ofMillis(100);

    /** If this many namespaces get no answer, the cause is not something that each of them broke itself. */
    static final int SEVERAL = 8;

    /** It asks less often than it should, so that its limit lasts. */
    private record Spaced(Instant since, String why) {}

    private final Duration interval;
    private final Loop loop;
    private final InstantSource clock;
    private final Pace pace;
    /** How many questions it has, whether being asked or not. */
    int questions;

    /** How many questions wait or are being asked. */
    private int open;

    private int inFlight;
    private boolean heard;
    private boolean inRound;
    private boolean answered;
    private boolean limited;
    private boolean whole;
    private boolean probed;
    /** Whether its limit prevented some questions from being asked in this round. */
    private boolean spacedNow;

    private int unanswered;
    /** Why something was not answered in this round: the host is at fault only if nothing is answered. */
    private Optional<Resolution.Problem> lastFailure = Optional.empty();
    /** When to ask the host again, if nothing is answered. */
    private Optional<Instant> retryAfter = Optional.empty();

    /** How many namespaces it asks for in this round. */
    private int namespaces = 1;
    /** How much of the limit a round leaves unused. */
    private long floor;

    private Optional<Long> pausedUntil = Optional.empty();
    private Optional<Long> spacedUntil = Optional.empty();
    private Optional<Spaced> spaced = Optional.empty();
    /** When the first round after the last failed one began. */
    private long healthySince;

    private long begun;
    /** Whether the last question between the passes failed. */
    private boolean earlyFailed;

    private Optional<Resolution.Problem> problem = Optional.empty();
    private Optional<Instant> failingSince = Optional.empty();

    AskerPace(Duration interval, Loop loop, InstantSource clock) {
        this.interval = interval;
        this.loop = loop;
        this.clock = clock;
        pace = new Pace(interval);
        healthySince = loop.nanos();
    }

    /** A question waits; {@code pass} says whether because it is due. */
    void waits(boolean pass) {
        if (!inRound) {
            inRound = true;
            begun = loop.nanos();
            answered = false;
            limited = false;
            whole = false;
            unanswered = 0;
            lastFailure = Optional.empty();
            retryAfter = Optional.empty();
            probed = false;
            spacedNow = false;
        }
        whole |= pass;
        open++;
    }

    /** A pass begins, in which it asks for {@code namespaces} namespaces and uses its limit down to {@code floor}. */
    void begins(int namespaces, long floor) {
        this.namespaces = namespaces;
        this.floor = floor;
        whole = true;
    }

    /** Whether the next question may be asked: the first alone, until it is answered. */
    boolean mayAsk() {
        return answered || inFlight == 0;
    }

    /** Whether its share of this limit is used up. */
    boolean hasUsed(WatchedRegistry.Allowance limit) {
        return limit.left(clock.instant()) - inFlight <= Math.max(0, floor);
    }

    /** Whether something of it waits, and nothing is being asked. */
    boolean onlyWaits() {
        return open > 0 && inFlight == 0;
    }

    /** Whether none of its questions waits or is being asked any longer, so that the round should end. */
    boolean isDone() {
        return inRound && open == 0;
    }

    /** Whether something of it waits that may be asked. */
    boolean mayAskNext() {
        return open > inFlight && mayAsk();
    }

    int inFlight() {
        return inFlight;
    }

    void asks() {
        inFlight++;
    }

    /** Asks what was answered before: if that fails, the host does. */
    void probes() {
        probed = true;
    }

    /** Whether such a question was asked in this round. */
    boolean hasProbed() {
        return probed;
    }

    /** A question that was asked has an outcome. */
    void over() {
        inFlight--;
        open--;
    }

    /** A question that waited is not asked now. */
    void leaves() {
        open--;
    }

    void answered() {
        heard = true;
        answered = true;
        unanswered = 0;
    }

    /** Something was not answered; {@code until} is when the host may be asked again, if it said so. */
    void unanswered(Resolution.Problem trouble, Optional<Instant> until) {
        heard = true;
        unanswered++;
        retryAfter = until;
        lastFailure = Optional.of(trouble);
    }

    /**
     * Its credentials are rejected, or the answer is useless: this applies to everything that it asks, unless something is
     * answered.
     */
    void rejected(Resolution.Problem trouble) {
        heard = true;
        problem = Optional.of(trouble);
        failingSince = failingSince.or(() -> Optional.of(clock.instant()));
    }

    /** The host must not be asked until {@code until}, or else for as long as a host that fails. */
    void limited(Resolution.Problem trouble, Optional<Instant> until) {
        heard = true;
        problem = Optional.of(trouble);
        if (!limited) {
            limited = true;
            fails();
        }
        until.ifPresent(this::pauseUntil);
    }

    /**
     * Whether it asks nothing more in this round: nothing was answered although questions of several namespaces, or two of
     * one namespace, were asked; or it was answered before, and no longer is.
     */
    boolean givesUp() {
        boolean several = namespaces > 1;
        return answered
                ? unanswered >= (several ? SEVERAL : 3)
                : unanswered >= (pace.failing() ? 1 : several ? Math.min(SEVERAL, namespaces) : 2);
    }

    /** Ends the round if nothing waits any longer; {@code tenants} says whether there are several. Returns whether it ended, and counted. */
    boolean ends(boolean tenants) {
        if (!inRound || open > 0) {
            return false;
        }
        inRound = false;
        // Right after a push the registry may still be writing: the first failure between the passes does not hold it
        // back. Nor does what was never answered: it may be broken for one tenant, and the next pass will show.
        boolean noAnswer = !answered && unanswered > 0;
        boolean tells = earlyFailed && (!tenants || probed);
        earlyFailed = noAnswer && !whole && !limited && !pace.failing() && !tells;
        if (limited) {
            return true;
        }
        if (earlyFailed) {
            problem = Optional.empty();
        } else if (noAnswer) {
            problem = lastFailure;
            fails();
            retryAfter.ifPresent(this::pauseUntil);
        } else if (answered) {
            healthySince = pace.failing() ? begun : healthySince;
            pace.succeeded();
            pausedUntil = Optional.empty();
            problem = Optional.empty();
            failingSince = Optional.empty();
            if (!spacedNow) {
                endSpacing();
            }
        }
        return true;
    }

    private void fails() {
        pace.failed();
        failingSince = failingSince.or(() -> Optional.of(clock.instant()));
        pauseFor(pace.next(Duration.ZERO));
    }

    private void pauseUntil(Instant until) {
        pauseFor(Duration.between(clock.instant(), until));
    }

    private void pauseFor(Duration pause) {
        Duration most = Pace.min(pause, LONGEST);
        if (!most.isNegative()) {
            long until = loop.nanos() + most.toNanos();
            pausedUntil = Optional.of(
                    pausedUntil().filter(before -> before - until > 0).orElse(until));
        }
    }

    /** Until when it asks nothing; empty if it may ask. */
    Optional<Long> pausedUntil() {
        return Stream.of(pausedUntil, spacedUntil)
                .flatMap(Optional::stream)
                .filter(until -> until - loop.nanos() > 0)
                .max(Comparator.naturalOrder());
    }

    /** Whether the host fails for it, and has not answered again in this round. */
    boolean failing() {
        return pace.failing() && !(inRound && answered && !limited);
    }

    /** Whether the host asked not to be asked, as opposed to not answering. */
    boolean isLimited() {
        return limited;
    }

    /** Whether it is paused for another reason than that the host does not answer. */
    boolean isHeldBack() {
        return pausedUntil().isPresent() && (isLimited() || !failing());
    }

    /**
     * Spreads what is left of its limit, if it is not enough to ask everything in each pass. Returns how long it then takes
     * to ask all questions once; zero if they are not asked one by one.
     */
    Duration spread(WatchedRegistry.Allowance limit) {
        Instant now = clock.instant();
        Duration spacing = limit.spacing(now);
        if (spacing.compareTo(interval) <= 0) {
            endSpacing();
            return Duration.ZERO;
        }
        if (limit.isUsedUp(now)) {
            space(spacing, "the registry's limit is used up");
            return Duration.ZERO;
        }
        space(
                spacing,
                "the registry allows " + Phrases.count(limit.left(now), "more request") + " until "
                        + Phrases.time(limit.resets()));
        return Pace.min(spacing.multipliedBy(questions), LONGEST);
    }

    private void space(Duration spacing, String why) {
        spacedUntil = Optional.of(loop.nanos() + Pace.min(spacing, LONGEST).toNanos());
        spaced = Optional.of(new Spaced(spaced.map(Spaced::since).orElseGet(clock::instant), why));
        spacedNow = true;
    }

    /** Why it waits until its limit lets it ask again; empty if it may ask. */
    private Optional<Spaced> spaced() {
        return spaced.filter(
                spaces -> spacedUntil.filter(until -> until - loop.nanos() > 0).isPresent());
    }

    /** Why it is paused and until when, if it is; {@code time} converts the loop's nanoseconds. */
    Optional<HostStatus.Wait> pause(Asker asker, LongFunction<Instant> time) {
        Optional<Instant> until = pausedUntil().map(time::apply);
        if (until.isEmpty()) {
            return Optional.empty();
        }
        return spaced().map(spacing -> new HostStatus.Wait(
                        asker.namespace(), Deferral.RATE_LIMITED, spacing.why(), spacing.since(), until.get()))
                .or(() -> problem.map(trouble -> new HostStatus.Wait(
                        asker.namespace(),
                        trouble.kind(),
                        trouble.message(),
                        failingSince.orElseGet(clock::instant),
                        until.get())));
    }

    /** Its limit no longer holds it back. */
    private void endSpacing() {
        spaced = Optional.empty();
        spacedUntil = Optional.empty();
    }

    /** Whether anything was actually asked for it. */
    boolean isHeard() {
        return heard;
    }

    /** Whether it has been answered every time since this moment. */
    boolean isHealthySince(long moment) {
        return !pace.failing() && moment - healthySince >= 0;
    }

    /** What is wrong with the host for this asker, if anything. */
    Optional<Resolution.Problem> problem() {
        return problem;
    }

    Optional<Instant> failingSince() {
        return failingSince;
    }

    /** Whether it has nothing to ask and nothing to remember. */
    boolean isIdle() {
        return questions == 0 && open == 0 && pausedUntil().isEmpty();
    }
}
