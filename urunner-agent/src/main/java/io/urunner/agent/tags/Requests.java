package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.Progress;
import io.urunner.agent.loop.Turns;
import io.urunner.agent.text.Phrases;
import io.urunner.agent.text.Remedies;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests to one registry host other than questions for tags. The same request is sent once per interval: there is no
 * reason to ask again for what never changes. {@link HostQueue} says when the next one is sent. On the loop.
 */
public final class Requests {
    private static final Logger LOG = LoggerFactory.getLogger(Requests.class);

    /** How many of one namespace wait at most. */
    private static final int MOST = 10_000;

    /** The longest wait for a limit that is used up. */
    private static final Duration SOON = Duration.ofMinutes(1);

    private final String host;
    private final Duration interval;
    private final Loop loop;
    private final InstantSource clock;
    private final HostQueue.Port port;
    private final Runnable ended;
    private final Turns<Request<?>> waiting = new Turns<>(MOST);
    /** By asker, how many requests wait. */
    private final Map<Asker, Integer> askers = new HashMap<>();
    /** By name of a request, when it was sent. */
    private final Map<String, Long> sent = new HashMap<>();

    private final Progress progress;
    private int underWay;
    private final Map<String, Integer> byNamespace = new HashMap<>();
    /** Until when an asker must not send any, by the loop's time. */
    private final Map<Asker, Long> notBefore = new HashMap<>();

    private boolean waitingForLimit;

    /**
     * A request.
     *
     * @param <T> what is answered
     */
    interface Request<T> {
        /** Names it: the same is sent once per interval. */
        String what();

        /** Whose credentials it is sent with. */
        default Asker asker() {
            return Asker.EVERYBODY;
        }

        /** The namespaces for which it is sent; none if it is for the agent itself. */
        default Collection<String> namespaces() {
            return List.of();
        }

        /** Sends it, on another thread, and waits for the answer. */
        T send() throws RegistryException, InterruptedException;

        /** Called with the answer, on the loop; otherwise {@link #failed} is called. */
        void answered(T answer);

        /** It was not answered. On the loop. */
        void failed(String words);

        /** It was not sent, for a reason that is not its fault. On the loop. */
        default void notSent(String words) {
            failed(words);
        }

        /** Whether it is sent even while the registry fails, to find out whether it still does. */
        default boolean evenWhileFailing() {
            return false;
        }
    }

    /** {@code ended} is run on the loop when a request has ended in any way, or a limit is reset that one waited for. */
    Requests(HostQueue.Parts host, Runnable ended) {
        this.host = host.name();
        interval = host.interval();
        loop = host.loop();
        clock = host.clock();
        port = host.port();
        this.ended = ended;
        progress = new Progress(loop::nanos);
    }

    /** Takes a request, or notifies it why it is not sent; {@code failure} is what is wrong with the host. */
    void add(Request<?> request, Optional<Instant> leftAloneUntil, Optional<String> failure) {
        Optional<String> refusal = refusal(request, leftAloneUntil, failure);
        if (refusal.isEmpty() && !waiting.add(request, request.namespaces())) {
            refusal = Optional.of("more than " + MOST + " requests wait for " + host);
        }
        if (refusal.isPresent()) {
            String words = refusal.get();
            loop.execute(() -> request.notSent(words));
        } else {
            sent.put(request.what(), loop.nanos());
            askers.merge(request.asker(), 1, Integer::sum);
        }
    }

    private Optional<String> refusal(Request<?> request, Optional<Instant> leftAloneUntil, Optional<String> failure) {
        if (wasSent(request.what())) {
            port.runaway(request.what());
            return Optional.of("a defect of the agent: it asked for " + request.what() + " twice within an interval");
        }
        Instant now = clock.instant();
        Optional<Instant> usedUpUntil = port.allowance(request.asker())
                .filter(allowance -> allowance.left(now) == 0)
                .map(WatchedRegistry.Allowance::resets)
                .filter(now.plus(SOON)::isBefore);
        Optional<Instant> until = Stream.of(
                        leftAloneUntil,
                        Optional.ofNullable(notBefore.get(request.asker()))
                                .map(end -> now.plusNanos(end - loop.nanos())),
                        usedUpUntil)
                .flatMap(Optional::stream)
                .filter(now::isBefore)
                .max(Instant::compareTo);
        if (until.isPresent()) {
            return Optional.of(leftAlone(until.get()));
        }
        return request.evenWhileFailing() ? Optional.empty() : failure;
    }

    private String leftAlone(Instant until) {
        return host + " must not be asked until " + Phrases.time(until);
    }

    /** Whether the same was sent within the interval, so that it would be refused. */
    boolean wasSent(String what) {
        return Optional.ofNullable(sent.get(what))
                .filter(this::isWithinInterval)
                .isPresent();
    }

    private boolean isWithinInterval(long moment) {
        return loop.nanos() - moment < interval.toNanos();
    }

    /** How many have not been answered yet. */
    int underWay() {
        return underWay;
    }

    /** How long requests have been under way without one being answered. */
    Duration standStill() {
        return progress.standsStill();
    }

    /**
     * Sends the next request of an asker that may send, of no namespace more than {@code most} at once. Returns whether
     * there was one.
     */
    boolean sendNext(Predicate<Asker> may, int most) {
        Optional<Turns.Turn<Request<?>>> next =
                waiting.next(request -> may.test(request.asker()) && leavesRoom(request, most));
        next.ifPresent(turn -> {
            left(turn.item());
            port.served(AgentListener.Served.CONTENT, turn.namespace());
            send(turn.item(), turn.namespace());
        });
        return next.isPresent();
    }

    /** Requests that hang for one namespace leave room for others. */
    private boolean leavesRoom(Request<?> request, int most) {
        return !port.hasTenants()
                || request.namespaces().isEmpty()
                || request.namespaces().stream().anyMatch(namespace -> byNamespace.getOrDefault(namespace, 0) < most);
    }

    private void left(Request<?> request) {
        askers.computeIfPresent(request.asker(), (asker, waiting) -> waiting == 1 ? null : waiting - 1);
    }

    private <T> void send(Request<T> request, String namespace) {
        underWay++;
        progress.begun();
        byNamespace.merge(namespace, 1, Integer::sum);
        long begun = loop.nanos();
        sent.put(request.what(), begun);
        port.elsewhere(
                () -> {
                    Runnable outcome = () -> request.failed("a defect of the agent");
                    boolean answered = false;
                    try {
                        T answer = request.send();
                        answered = true;
                        outcome = () -> request.answered(answer);
                    } catch (RegistryException e) {
                        outcome = () -> failed(request, e);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        outcome = () -> request.failed("the agent is shutting down");
                    } catch (RuntimeException | LinkageError | StackOverflowError e) {
                        LOG.error("{} could not be read; this is a defect", request.what(), e);
                        outcome = () -> request.failed("a defect of the agent: " + e);
                    } finally {
                        Runnable told = outcome;
                        String word = answered ? "answered" : "failed";
                        loop.execute(() -> {
                            LOG.atDebug()
                                    .addKeyValue(LogField.EVENT, "sent")
                                    .addKeyValue(LogField.SUBJECT, request.what())
                                    .addKeyValue(LogField.OUTCOME, word)
                                    .log(
                                            "{}: {} after {} ms",
                                            request.what(),
                                            word,
                                            (loop.nanos() - begun) / 1_000_000);
                            ended(namespace, told);
                        });
                    }
                },
                e -> ended(namespace, () -> request.failed("a defect of the agent: " + e)));
    }

    private void ended(String namespace, Runnable told) {
        underWay--;
        progress.ended();
        byNamespace.computeIfPresent(namespace, (name, count) -> count == 1 ? null : count - 1);
        try {
            told.run();
        } finally {
            ended.run();
        }
    }

    /** A limit on requests does not necessarily limit questions: where pulls are counted, {@code HEAD} is free. */
    private void failed(Request<?> request, RegistryException e) {
        if (Resolution.of(e) instanceof Resolution.RateLimited limit) {
            limit.until().ifPresent(until -> {
                Duration pause = Pace.min(Duration.between(clock.instant(), until), AskerPace.LONGEST);
                notBefore.put(request.asker(), loop.nanos() + pause.toNanos());
                refuse(request.asker(), leftAlone(until), false);
            });
        }
        request.failed(Remedies.of(e));
    }

    /** The host fails for an asker: only what finds out whether it still does is sent. */
    void refuseAll(Asker asker, String words) {
        refuse(asker, words, true);
    }

    /** Requests wait for a limit that is reset soon; otherwise they are refused. */
    void waitForLimits(PassBudget budget) {
        if (waiting.isEmpty() || waitingForLimit) {
            return;
        }
        Instant now = clock.instant();
        for (Asker asker : List.copyOf(askers.keySet())) {
            Optional<Instant> resets = Stream.of(
                            budget.usedUp(), port.allowance(asker).filter(limit -> limit.isUsedUp(now)))
                    .flatMap(Optional::stream)
                    .map(WatchedRegistry.Allowance::resets)
                    .max(Comparator.naturalOrder());
            if (resets.isPresent() && !refusedUntil(asker, resets.get())) {
                waitingForLimit = true;
                loop.after(Pace.max(Pace.min(Duration.between(now, resets.get()), SOON), AskerPace.SHORTEST), () -> {
                    waitingForLimit = false;
                    ended.run();
                });
                return;
            }
        }
    }

    /** Refuses all requests of an asker whose limit is reset too late to wait for. Returns whether it is. */
    private boolean refusedUntil(Asker asker, Instant resets) {
        boolean late = clock.instant().plus(SOON).isBefore(resets);
        if (late) {
            refuse(asker, leftAlone(resets), false);
        }
        return late;
    }

    private void refuse(Asker asker, String words, boolean butChecks) {
        if (!askers.containsKey(asker)) {
            return;
        }
        for (Request<?> request : waiting.all()) {
            if (request.asker().equals(asker) && !(butChecks && request.evenWhileFailing())) {
                waiting.remove(request);
                left(request);
                sent.remove(request.what());
                loop.execute(() -> request.notSent(words));
            }
        }
    }

    /** Drops what waits, without telling anybody. */
    void clear() {
        waiting.clear();
        askers.clear();
    }

    /** What was sent long ago may be sent again. */
    void forgetOld() {
        sent.values().removeIf(moment -> !isWithinInterval(moment));
        notBefore.values().removeIf(until -> until - loop.nanos() <= 0);
    }
}
