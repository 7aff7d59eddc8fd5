package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Deferral;
import io.urunner.agent.plan.TagWatch;
import io.urunner.registry.Digest;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is known of a reference that is used, for each of its askers. On the loop. */
final class WatchedReference {
    /** Problems that have nothing to do with the credentials sent to the registry. */
    private static final Set<Deferral> OF_THE_HOST =
            EnumSet.of(Deferral.RATE_LIMITED, Deferral.REGISTRY_UNREACHABLE, Deferral.REGISTRY_CONFUSED);

    private final Known everybody = new Known();
    private final Map<Asker, Known> known = new HashMap<>(Map.of(Asker.EVERYBODY, everybody));
    /** Whether the registry does not answer everybody. */
    boolean closed;

    Loop.Timer forget = () -> {};

    /** What is known of it with the credentials of one asker. */
    static final class Known {
        private TagWatch watch = TagWatch.unknown();
        private boolean historyKnown;
        private Optional<Resolution.Problem> problem = Optional.empty();
        private Instant failingSince = Instant.MIN;
        private Instant answered = Instant.EPOCH;
        private boolean hasNoSecret;
        private boolean news = true;

        /** What the registry says, if it was asked by this agent. */
        Answer answer() {
            return watch.answer();
        }

        /** The digest that counts, not one that has yet to be confirmed. */
        Optional<Digest> digest() {
            return watch.counted().map(TagWatch.Sight::digest);
        }

        boolean isHistoryKnown() {
            return historyKnown;
        }

        /** Takes over what the store remembers, unless the registry was faster. */
        void takeHistory(List<TagWatch.Sight> history) {
            if (!historyKnown) {
                historyKnown = true;
                if (watch.counted().isEmpty()) {
                    watch = TagWatch.of(history);
                }
            }
        }

        /** The registry named a digest. */
        void sees(Digest digest, Instant asked, Instant now) {
            watch = watch.see(digest, asked);
            answered = now;
            problem = Optional.empty();
            hasNoSecret = false;
            news = true;
        }

        /** It named none. */
        void fails(Resolution.Problem why, boolean withoutSecret, Instant asked) {
            if (problem.isEmpty()) {
                failingSince = asked;
            }
            news = !problem.equals(Optional.of(why));
            problem = Optional.of(why);
            hasNoSecret = withoutSecret;
        }

        Optional<Resolution.Problem> problem() {
            return problem;
        }

        Instant failingSince() {
            return failingSince;
        }

        /** When the last digest arrived. */
        Instant answered() {
            return answered;
        }

        /** Whether the last answer was anything but the same trouble again. */
        boolean isNews() {
            return news;
        }

        boolean isFound() {
            return problem.isEmpty() && answer() instanceof Answer.Resolved;
        }
    }

    Known everybody() {
        return everybody;
    }

    Known of(Asker asker) {
        return known.getOrDefault(asker, everybody);
    }

    /** What is known with the credentials of this asker only; empty if it is not asked for. */
    Optional<Known> ofOnly(Asker asker) {
        return Optional.ofNullable(known.get(asker));
    }

    /** The askers for whom it is asked. */
    Set<Asker> askers() {
        return Set.copyOf(known.keySet());
    }

    boolean isAskedFor(Asker asker) {
        return known.containsKey(asker);
    }

    void askFor(Asker asker) {
        known.put(asker, new Known());
    }

    /** It is no longer asked for this asker. Returns whether it was. */
    boolean askNoMore(Asker asker) {
        return known.remove(asker) != null;
    }

    /** The asker for a namespace: itself, if not everybody may read the reference and it has pull secrets. */
    Asker asker(String namespace) {
        Asker own = Asker.of(namespace);
        Known apart = known.get(own);
        return apart != null && !apart.hasNoSecret ? own : Asker.EVERYBODY;
    }

    /** Why a namespace that gets the answer for everybody has no pull secret that gives access; or else an empty string. */
    String withoutSecret(String namespace) {
        Known apart = known.get(Asker.of(namespace));
        if (apart == null
                || !apart.hasNoSecret
                || everybody
                        .problem
                        .filter(problem -> !OF_THE_HOST.contains(problem.kind()))
                        .isEmpty()) {
            return "";
        }
        return apart.problem.map(problem -> "; " + problem.message()).orElse("");
    }
}
