package io.urunner.agent.tags;

import io.urunner.agent.HostStatus;
import io.urunner.agent.loop.LogField;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.text.Phrases;
import io.urunner.registry.ImageReference;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reports problems of one registry: a registry that fails once, rather than each reference. On the loop. */
final class RegistryProblems {
    private static final Logger LOG = LoggerFactory.getLogger(RegistryProblems.class);

    private final Watched watched;
    private final String registry;
    private final Loop loop;
    private final StateLog problems;
    private final Consumer<Asker> changed;
    private final BooleanSupplier seesAll;
    private final Map<Question, Resolution.Problem> unreachable =
            new TreeMap<>(Comparator.comparing(RegistryProblems::subject));
    /** For askers that get no answers, the timers after which their last answers are too old. */
    private final Map<Asker, Loop.Timer> aging = new HashMap<>();

    /**
     * {@code changed} is notified of an asker whose references may have another answer; {@code seesAll} says whether
     * everything in the cluster is known.
     */
    RegistryProblems(Watched watched, Loop loop, StateLog problems, Consumer<Asker> changed, BooleanSupplier seesAll) {
        this.watched = watched;
        this.loop = loop;
        this.problems = problems;
        this.changed = changed;
        this.seesAll = seesAll;
        registry = "registry " + watched.registry().prefix();
    }

    static String subject(Question question) {
        return question.asker().at(subject(question.reference()));
    }

    private static String subject(ImageReference reference) {
        return "image " + reference;
    }

    private String subject(Asker asker) {
        return "registry " + asker.at(watched.registry().prefix().toString());
    }

    void tell(Question question, Resolution.Problem problem) {
        problems.problem(
                watched.namespaces(question), subject(question), problem.kind().words(), problem.message());
    }

    void well(Question question) {
        problems.well(watched.namespaces(question), subject(question));
    }

    void forget(ImageReference reference) {
        problems.forget(subject(reference)::equals);
    }

    void forget(Question question) {
        problems.forget(subject(question)::equals);
    }

    /** A question was not answered: that is reported, unless the registry answers none of the asker's questions. */
    void unanswered(Question question, Resolution.Problem problem) {
        unreachable.put(question, problem);
    }

    /** None of an asker's questions waits any longer; {@code problem} is what is wrong with the host for it, if anything. */
    void settled(Asker asker, Optional<Resolution.Problem> problem, Predicate<ImageReference> used) {
        String subject = subject(asker);
        Optional<HostStatus.Wait> wait =
                watched.queue().waits(asker).filter(one -> one.cause().isTrouble());
        if (problem.isPresent()) {
            problems.problem(
                    subject,
                    problem.get().kind().words(),
                    problem.get().message()
                            + wait.map(one -> "; asked again at " + Phrases.time(one.until()))
                                    .orElse(""));
        } else if (wait.isPresent()) {
            problems.problem(subject, wait.get().cause().words(), wait.get().words());
        } else {
            problems.well(subject);
        }
        tellWaiting(asker, problem.isPresent() || wait.isPresent());
        unreachable.entrySet().removeIf(entry -> {
            boolean own = entry.getKey().asker().equals(asker);
            if (own && problem.isEmpty() && used.test(entry.getKey().reference())) {
                tell(entry.getKey(), entry.getValue());
            }
            return own;
        });
    }

    /**
     * For an asker that waits, the wait is the answer to what was never asked, and once its last answer is too old: nothing
     * else reports either.
     */
    private void tellWaiting(Asker asker, boolean waits) {
        if (!waits) {
            forgetAge(asker);
        } else if (!aging.containsKey(asker)) {
            changed.accept(asker);
            aging.put(asker, loop.after(watched.goodFor().plusSeconds(1), () -> changed.accept(asker)));
        }
    }

    private void forgetAge(Asker asker) {
        Optional.ofNullable(aging.remove(asker)).ifPresent(Loop.Timer::cancel);
    }

    /** An asker has no more questions. */
    void forget(Asker asker) {
        problems.forget(subject(asker)::equals);
        forgetAge(asker);
        unreachable.keySet().removeIf(question -> question.asker().equals(asker));
    }

    /** The same was about to be asked over and over. */
    void runaway(String what) {
        problems.problem(
                "requests to " + watched.registry().prefix(),
                what,
                what + " was asked for twice within an interval; this is a defect of the agent, and was refused");
    }

    /** A pass over all references is over. */
    void passed(Duration took) {
        int count = watched.count();
        LOG.atDebug()
                .addKeyValue(LogField.EVENT, "passed")
                .addKeyValue(LogField.SUBJECT, registry)
                .log("{}: a pass over {} took {} ms", registry, Phrases.count(count, "reference"), took.toMillis());
        if (count > 0) {
            problems.well("use of " + registry);
        } else if (seesAll.getAsBoolean()) {
            problems.problem(
                    "use of " + registry,
                    "not used",
                    "no watched workload uses an image from it, so it is not asked: compare the host in the settings with"
                            + " the images, and check that their namespaces are labelled");
        }
        Optional<HostStatus.Wait> budget = watched.queue().waitsForBudget();
        String subject = "budget of " + registry;
        if (budget.isEmpty()) {
            problems.well(subject);
        } else if (problems.note(
                subject, budget.get().cause().words(), budget.get().words())) {
            changed.accept(Asker.EVERYBODY);
        }
    }
}
