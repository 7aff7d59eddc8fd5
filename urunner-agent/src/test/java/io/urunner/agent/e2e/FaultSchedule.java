package io.urunner.agent.e2e;

import java.time.Duration;
import java.util.List;
import java.util.Random;

/**
 * Decides which requests fail, how, and which pushes are followed by another one: determined by a seed. Thread-safe.
 */
final class FaultSchedule {
    /** Nothing goes wrong. */
    static final FaultSchedule NONE = new FaultSchedule(0, 0);

    private static final Duration LONGEST_DELAY = Duration.ofMillis(1500);
    private static final List<Fault> OF_REQUESTS = List.of(
            Fault.DELAY,
            Fault.CUT,
            Fault.LOSE,
            Fault.GARBLE,
            Fault.TOO_MANY,
            Fault.ERROR,
            Fault.GARBAGE,
            Fault.TRUNCATE);
    private static final List<Fault> OF_WATCHES = List.of(
            Fault.DELAY,
            Fault.CUT,
            Fault.TOO_MANY,
            Fault.ERROR,
            Fault.GARBAGE,
            Fault.BREAK,
            Fault.STALL,
            Fault.EXPIRE,
            Fault.NOISE);

    private final Random random;
    private final double share;

    enum Fault {
        NONE,
        /** Forwarded late. */
        DELAY,
        /** Not forwarded; the connection is cut. */
        CUT,
        /** Forwarded, but the connection is cut instead of an answer. */
        LOSE,
        /** Forwarded, but answered with garbage. */
        GARBLE,
        TOO_MANY,
        ERROR,
        /** Garbage with status 200; not forwarded. */
        GARBAGE,
        /** Forwarded, but cut in the middle of the answer. */
        TRUNCATE,
        /** A watch that breaks after some events. */
        BREAK,
        /** A watch that delivers each event late. */
        STALL,
        /** A watch whose version has expired. */
        EXPIRE,
        /** A watch that delivers nonsense. */
        NOISE
    }

    /**
     * A schedule.
     *
     * @param share of the requests that go wrong, or of the pushes that another one follows, 0 to 1
     */
    FaultSchedule(long seed, double share) {
        random = new Random(seed);
        this.share = share;
    }

    synchronized Fault next(boolean watch) {
        if (random.nextDouble() >= share) {
            return Fault.NONE;
        }
        List<Fault> faults = watch ? OF_WATCHES : OF_REQUESTS;
        return faults.get(random.nextInt(faults.size()));
    }

    synchronized Duration delay() {
        return Duration.ofMillis(random.nextInt((int) LONGEST_DELAY.toMillis()));
    }

    /** Whether there is another push while the rollouts of a push are in progress. */
    synchronized boolean pushesAgain() {
        return random.nextDouble() < share;
    }

    /** The number of events after which a watch fails. */
    synchronized int calmLines() {
        return random.nextInt(6);
    }
}
