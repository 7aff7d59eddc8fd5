package io.urunner.agent.rollouts;

import io.urunner.agent.AgentStatus;
import io.urunner.agent.Lease;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.StateLog;
import io.urunner.kube.KubeConnection;
import io.urunner.kube.LeaderElection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows whether this agent is the one that acts: always, or, if an election was {@linkplain #start started}, while it
 * holds the Lease. Thread-safe.
 */
public final class Leadership {
    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

    /** How long releasing the Lease may take: one that is not released expires by itself. */
    private static final Duration HANDING_OVER = Duration.ofSeconds(1);

    private static final String SUBJECT = "leader election";

    private final Lease lease;
    private final ExecutorService worker;
    private final LeaderElection election;
    private volatile boolean started;

    /** {@code worker} runs the election's requests; {@code changed} is notified on the loop whether this agent acts. */
    public Leadership(
            Lease lease,
            KubeConnection connection,
            InstantSource clock,
            LongSupplier ticker,
            ExecutorService worker,
            Loop loop,
            Changed changed) {
        this.lease = lease;
        this.worker = worker;
        election = new LeaderElection(
                connection,
                lease.namespace(),
                lease.name(),
                lease.identity(),
                clock,
                ticker,
                worker,
                new LeaderElection.Listener() {
                    @Override
                    public void elected() {
                        tell("leading", "is now the leader and rolls out");
                        loop.execute(() -> changed.acts(true));
                    }

                    @Override
                    public void deposed() {
                        tell("standing_by", "is no longer the leader and stands by");
                        loop.execute(() -> changed.acts(false));
                    }
                });
    }

    /** Told on the loop. */
    public interface Changed {
        void acts(boolean now);
    }

    private void tell(String event, String words) {
        LOG.atInfo()
                .addKeyValue(LogField.EVENT, event)
                .addKeyValue(LogField.LEASE, path())
                .log("{} {} (Lease {})", lease.identity(), words, path());
    }

    private String path() {
        return lease.namespace() + "/" + lease.name();
    }

    /** Takes part in the election: from now on this agent acts only while it leads. */
    public void start() {
        started = true;
        election.start();
        tell("standing_by", "stands by until it is elected");
    }

    /** Whether this agent may act now. */
    public boolean acts() {
        return !started || election.leads();
    }

    public AgentStatus.Election status() {
        return new AgentStatus.Election(
                lease.identity(), election.leader(), election.problem().map(LeaderElection.Problem::message));
    }

    /** Reports why nobody can be elected now, if that is so. On the loop. */
    public void report(StateLog problems) {
        election.problem()
                .ifPresentOrElse(
                        problem -> problems.problem(
                                SUBJECT,
                                problem.missing(),
                                "not possible",
                                problem.message() + "; without the Lease " + path() + " this agent stands by"),
                        () -> problems.well(SUBJECT));
    }

    /** Releases the Lease, so that another agent takes over at once. Nothing may still be under way. */
    public void close() throws InterruptedException {
        if (!started) {
            return;
        }
        try {
            CompletableFuture.runAsync(election::close, worker).get(HANDING_OVER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("the Lease {} could not be released; it expires by itself", path());
        }
    }
}
