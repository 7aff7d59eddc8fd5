package io.urunner.agent.e2e;

import java.time.Duration;
import java.util.List;
import java.util.Random;

/** Which requests go wrong, and how, and which pushes another one follows: a sequence that a seed determines. Thread-safe. */
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
        /** Passed on late. */
        DELAY,
        /** Not passed on; the connection is cut. */
        CUT,
        /** Passed on, and the connection is cut instead of an answer. */
        LOSE,
        /** Passed on, and garbage is answered. */
        GARBLE,
        TOO_MANY,
        ERROR,
        /** Garbage with status 200; not passed on. */
        GARBAGE,
        /** Passed on, and cut in the middle of the answer. */
        TRUNCATE,
        /** A watch that breaks after some events. */
        BREAK,
        /** A watch that tells each event late. */
        STALL,
        /** A watch whose version is forgotten. */
        EXPIRE,
        /** A watch that tells nonsense. */
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

    /** Whether somebody pushes again while the rollouts of a push are under way. */
    synchronized boolean pushesAgain() {
        return random.nextDouble() < share;
    }

    /** After how many events a watch goes wrong. */
    synchronized int calmLines() {
        return random.nextInt(6);
    }
}
