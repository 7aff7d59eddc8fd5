package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Turns;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Sends the questions and requests that wait for one host, in turns and no more at once than its concurrency allows. On the
 * loop.
 */
final class Dispatcher {
    private final int concurrency;
    private final Loop loop;
    private final InstantSource clock;
    private final HostQueue.Port port;
    private final Backlog backlog;
    private final PassBudget budget;
    private final Requests requests;
    private final Outcomes outcomes;
    private final Map<Question, InFlight> inFlight = new HashMap<>();
    /** Whether a request comes next if a question could as well. */
    private boolean requestsTurn = true;

    /** A question that is being asked; {@code namespace} is the one whose turn it was. */
    record InFlight(String namespace, Instant asked, long begun) {}

    /** What is told of the outcome of each question, after it is no longer in flight. On the loop. */
    @FunctionalInterface
    interface Outcomes {
        void answered(Question question, InFlight sent, Resolution outcome);
    }

    Dispatcher(HostQueue.Parts host, Backlog backlog, PassBudget budget, Requests requests, Outcomes outcomes) {
        concurrency = host.concurrency();
        loop = host.loop();
        clock = host.clock();
        port = host.port();
        this.backlog = backlog;
        this.budget = budget;
        this.requests = requests;
        this.outcomes = outcomes;
    }

    /** The questions that are being asked. */
    Set<Question> inFlight() {
        return Collections.unmodifiableSet(inFlight.keySet());
    }

    /** How many questions and requests are being sent. */
    int underWay() {
        return inFlight.size() + requests.underWay();
    }

    /** Sends as much as there is room for. */
    void fill() {
        while (underWay() < concurrency) {
            boolean sent = requestsTurn ? sendNext() || askNext() : askNext() || sendNext();
            if (!sent) {
                break;
            }
        }
    }

    /** Of several slots, some are reserved for questions: they never wait for requests that hang. */
    private boolean sendNext() {
        if (requests.underWay() >= Math.max(1, concurrency - reserve()) || budget.isUsedForRequests(underWay())) {
            return false;
        }
        requestsTurn = false;
        return requests.sendNext(this::maySend, Math.max(1, concurrency - 2 * reserve()));
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
        int most = port.hasTenants() && concurrency > 1 ? concurrency - reserve() : concurrency;
        Map<String, Integer> taken = new HashMap<>();
        inFlight.values().forEach(sent -> taken.merge(sent.namespace, 1, Integer::sum));
        Optional<Turns.Turn<Question>> next =
                backlog.next(namespace -> taken.getOrDefault(namespace, 0) < most, mayBeAsked(most));
        next.ifPresent(turn -> {
            Question question = turn.item();
            Asked asked = backlog.asked(question);
            if (asked.early) {
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

    /**
     * What may be asked now. Questions that hang for one namespace, or were never answered, leave room for others. This is
     * tested for many questions in a row, so each asker is examined once.
     */
    private Predicate<Question> mayBeAsked(int most) {
        Map<Asker, Boolean> askers = new HashMap<>();
        long unproven = requests.underWay()
                + inFlight.keySet().stream()
                        .filter(other ->
                                backlog.find(other).filter(Asked::answers).isEmpty())
                        .count();
        boolean room = most == concurrency || unproven < most;
        return question -> askers.computeIfAbsent(question.asker(), this::mayAsk)
                && (room || backlog.asked(question).answers());
    }

    private boolean mayAsk(Asker asker) {
        AskerPace pace = backlog.pace(asker);
        return pace.mayAsk() && port.allowance(asker).filter(pace::hasUsed).isEmpty();
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

    private void answered(Question question, Resolution outcome) {
        InFlight sent = Objects.requireNonNull(inFlight.remove(question), "it was asked");
        outcomes.answered(question, sent, outcome);
    }
}
