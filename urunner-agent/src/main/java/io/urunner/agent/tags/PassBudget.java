package io.urunner.agent.tags;

import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.tags.WatchedRegistry.Allowance;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** Our own limit for everything that is sent to one host, and what a pass may use of it. On the loop. */
final class PassBudget {
    private final HostQueue.Port port;
    private final Loop loop;
    private final InstantSource clock;
    /** How much of the budget a pass leaves unused. */
    private long floor;

    /** How much of it requests leave unused: a push is of use only once its content is known. */
    private long requestFloor;

    /** Since when the budget has been too small to ask everything in each pass. */
    private Optional<Instant> shortSince = Optional.empty();

    private long shortAt;

    PassBudget(HostQueue.Parts host) {
        port = host.port();
        loop = host.loop();
        clock = host.clock();
    }

    /** The budget if nothing is left of it until it is reset. */
    Optional<Allowance> usedUp() {
        Instant now = clock.instant();
        return port.budget().filter(limit -> limit.isUsedUp(now));
    }

    /** A pass begins; {@code leaves} returns what it leaves of a limit. */
    void begins(ToLongFunction<Allowance> leaves) {
        Optional<Allowance> now = port.budget();
        floor = now.map(leaves::applyAsLong).orElse(0L);
        long share = now.map(some -> some.left(clock.instant()) - floor).orElse(0L);
        requestFloor = Math.max(0, floor - Math.max(2, share / 2));
    }

    /** Something is asked that is not part of the pass. */
    void spendsExtra() {
        floor--;
        requestFloor--;
    }

    /** Whether no more questions may be asked while {@code underWay} are being sent. */
    boolean isUsed(int underWay) {
        return isUsed(underWay, floor);
    }

    /** Whether no more requests may be sent while {@code underWay} are being sent. */
    boolean isUsedForRequests(int underWay) {
        return isUsed(underWay, requestFloor);
    }

    private boolean isUsed(int underWay, long least) {
        return port.budget()
                .filter(some -> some.left(clock.instant()) - underWay <= Math.max(0, least))
                .isPresent();
    }

    /** It was too small to ask everything. */
    void isShort() {
        shortSince = shortSince.or(() -> Optional.of(clock.instant()));
        shortAt = loop.nanos();
    }

    /** A pass is over: the budget counts as sufficient again if everything was asked for {@code enough}. */
    void passed(Duration enough) {
        if (loop.nanos() - shortAt > enough.toNanos()) {
            shortSince = Optional.empty();
        }
    }

    /** The wait that it causes until {@code nextPass} if it is too small to ask everything in each pass; else empty. */
    Optional<HostStatus.Wait> waits(Instant nextPass) {
        return shortSince.map(since -> new HostStatus.Wait(
                Optional.empty(),
                Deferral.REQUEST_BUDGET,
                "the budget of the registry (registries[].budget) is too small to ask for everything in each interval",
                since,
                nextPass));
    }
}
