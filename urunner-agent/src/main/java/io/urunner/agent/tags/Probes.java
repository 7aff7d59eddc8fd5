package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.registry.FailedRequest;
import io.urunner.registry.RateLimitedException;
import io.urunner.registry.RegistryException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Checks on demand whether one registry answers; the same question is asked once per interval, and its answer is reused
 * until then. On the loop.
 */
final class Probes {
    private final Watched watched;
    private final Loop loop;
    private final InstantSource clock;
    /** The results by question; empty stands for the root of the registry's API. */
    private final Map<Optional<Question>, Checked> checked = new HashMap<>();

    private final Map<Optional<Question>, List<Consumer<Optional<RegistryException>>>> checking = new HashMap<>();

    /** When this was last checked, and what was wrong. */
    private record Checked(long at, Optional<RegistryException> trouble) {}

    Probes(Watched watched, Loop loop, InstantSource clock) {
        this.watched = watched;
        this.loop = loop;
        this.clock = clock;
    }

    /**
     * Asks, unless this was done within the interval.
     *
     * @param question what to ask; empty for the root of the registry's API
     * @param told receives on the loop what is wrong, if anything
     */
    void check(Optional<Question> question, Consumer<Optional<RegistryException>> told) {
        checked.values().removeIf(this::isOld);
        Checked before = checked.get(question);
        if (before != null) {
            told.accept(before.trouble);
            return;
        }
        List<Consumer<Optional<RegistryException>>> others = checking.get(question);
        if (others != null) {
            others.add(told);
            return;
        }
        checking.put(question, new ArrayList<>(List.of(told)));
        Asker asker = question.map(Question::asker).orElse(Asker.EVERYBODY);
        WatchedRegistry.Source source = watched.source(asker);
        watched.queue().send(new Requests.Request<Optional<RegistryException>>() {
            @Override
            public String what() {
                return "a check of " + watched.registry().prefix()
                        + question.map(one ->
                                        " for " + one.asker().at(one.reference().toString()))
                                .orElse("");
            }

            @Override
            public Asker asker() {
                return asker;
            }

            @Override
            public Optional<RegistryException> send() throws InterruptedException {
                try {
                    if (question.isPresent()) {
                        source.resolve(question.get().reference());
                    } else {
                        source.ping();
                    }
                    return Optional.empty();
                } catch (RegistryException e) {
                    return Optional.of(e);
                }
            }

            @Override
            public void answered(Optional<RegistryException> trouble) {
                checked.put(question, new Checked(loop.nanos(), trouble));
                tell(trouble);
            }

            @Override
            public void failed(String words) {
                FailedRequest request =
                        FailedRequest.of("check", watched.registry().prefix().registry());
                tell(Optional.of(new RateLimitedException(request, words, clock.instant(), false, null)));
            }

            private void tell(Optional<RegistryException> trouble) {
                Optional.ofNullable(checking.remove(question))
                        .ifPresent(waiting -> waiting.forEach(one -> one.accept(trouble)));
            }

            @Override
            public boolean evenWhileFailing() {
                return true;
            }
        });
    }

    private boolean isOld(Checked answer) {
        return loop.nanos() - answer.at >= watched.registry().interval().toNanos();
    }
}
