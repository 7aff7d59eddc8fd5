package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** Our own limit for all that is sent to one host, and what a pass may use of it. On the loop. */
final class PassBudget {
    private final Supplier<Optional<Allowance>> limit;
    private final Loop loop;
    private final InstantSource clock;
    /** The budget is not used further than to this in a pass. */
    private long floor;

    /** Nor by requests further than to this: what was pushed is of use when it is known what it brought. */
    private long requestFloor;

    /** Since when the budget does not let all be asked in each pass. */
    private Optional<Instant> shortSince = Optional.empty();

    private long shortAt;

    /** {@code limit} says what is left; nothing if there is no limit. */
    PassBudget(Supplier<Optional<Allowance>> limit, Loop loop, InstantSource clock) {
        this.limit = limit;
        this.loop = loop;
        this.clock = clock;
    }

    /** A pass begins; {@code leaves} says what it leaves of a limit. */
    void begins(ToLongFunction<Allowance> leaves) {
        Optional<Allowance> now = limit.get();
        floor = now.map(leaves::applyAsLong).orElse(0L);
        long share = now.map(some -> some.left(clock.instant()) - floor).orElse(0L);
        requestFloor = Math.max(0, floor - Math.max(2, share / 2));
    }

    /** Something is asked that is no part of the pass. */
    void spendsExtra() {
        floor--;
        requestFloor--;
    }

    /** Whether no question may be asked, with so much under way. */
    boolean isUsed(int underWay) {
        return isUsed(underWay, floor);
    }

    /** Whether no request may be sent, with so much under way. */
    boolean isUsedForRequests(int underWay) {
        return isUsed(underWay, requestFloor);
    }

    private boolean isUsed(int underWay, long least) {
        return limit.get()
                .filter(some -> some.left(clock.instant()) - underWay <= Math.max(0, least))
                .isPresent();
    }

    /** It did not let all be asked. */
    void isShort() {
        shortSince = shortSince.or(() -> Optional.of(clock.instant()));
        shortAt = loop.nanos();
    }

    /** A pass is over: whether it let all be asked for so long. */
    void passed(Duration enough) {
        if (loop.nanos() - shortAt > enough.toNanos()) {
            shortSince = Optional.empty();
        }
    }

    /** Since when it does not let all be asked in each pass; empty if it does. */
    Optional<Instant> shortSince() {
        return shortSince;
    }
}
