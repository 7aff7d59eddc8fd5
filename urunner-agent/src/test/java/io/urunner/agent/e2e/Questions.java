package io.urunner.agent.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.urunner.kube.testing.AuditLog;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.DockerRegistry.Access;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Limits for the questions of agents, whatever happens: a tag once per pass, as often again for the agent's own
 * reasons, and more only after hints; and the content of a digest once. Verified with the logs of the servers, which
 * share no code with the agent. Simulated nodes, which ask the registry, too, have another user agent.
 */
final class Questions {
    private static final String AGENT = "urunner";
    private static final Pattern OF_A_TAG = Pattern.compile("/v2/.+/manifests/(?!sha256:)[^/?]+");
    private static final Pattern OF_A_DIGEST = Pattern.compile("/v2/.+/(manifests|blobs)/sha256:[0-9a-f]{64}");

    /** The registry's log has no fractions of a second. */
    private static final Duration RESOLUTION = Duration.ofSeconds(1);

    /** A pass, the next one that reached this tag earlier, and a check of the agent's own. */
    private static final long AT_ANY_MOMENT = 3;

    private static final int HINTED_PER_SECOND = 4;
    private static final int LOOKS_PER_HINT = 3;
    private static final Duration HINT_LASTS = Duration.ofSeconds(3);

    private static final Set<String> WORKLOADS = Set.of("deployments", "statefulsets", "daemonsets");
    private static final int PER_WORKLOAD_AND_MINUTE = 30;
    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** Agents count requests when they send them; one of many may take this much longer to arrive than another. */
    private static final Duration ON_THE_WAY = Duration.ofSeconds(5);

    private final DockerRegistry registry;
    private final String repository;
    private final Duration interval;
    private final int atOnce;
    private final List<Instant> starts = new CopyOnWriteArrayList<>();
    private final List<Instant> hints = new CopyOnWriteArrayList<>();

    /**
     * @param repository the one that is looked at
     * @param interval the agent's, between two passes
     * @param atOnce how many agents ask at the same time, each for itself
     */
    Questions(DockerRegistry registry, String repository, Duration interval, int atOnce) {
        this.registry = registry;
        this.repository = repository;
        this.interval = interval;
        this.atOnce = atOnce;
    }

    /** An agent is started, which does not know the answers to others. */
    void started() {
        starts.add(Instant.now());
    }

    /** The agent gets a hint about a push. */
    void hinted() {
        hints.add(Instant.now());
    }

    void assertFew() {
        assertFew(path -> 0);
    }

    /** {@code lost} returns for a path how many of the registry's answers an agent did not get. */
    void assertFew(Function<String, Integer> lost) {
        Map<String, List<Access>> ofTags = new TreeMap<>();
        Map<String, List<Access>> ofDigests = new TreeMap<>();
        List<String> problems = new ArrayList<>();
        for (Access asked : registry.settledAccesses()) {
            if (!asked.userAgent().startsWith(AGENT) || !asked.path().startsWith("/v2/" + repository + "/")) {
                continue;
            }
            if (OF_A_TAG.matcher(asked.path()).matches()) {
                ofTags.computeIfAbsent(asked.path(), added -> new ArrayList<>()).add(asked);
            } else if (OF_A_DIGEST.matcher(asked.path()).matches()
                    && asked.method().equals("GET")) {
                ofDigests
                        .computeIfAbsent(asked.path(), added -> new ArrayList<>())
                        .add(asked);
            } else {
                problems.add("asked for no reason: " + asked);
            }
        }
        ofTags.forEach((path, asked) -> problems.addAll(tooOften(path, asked)));
        ofDigests.forEach((path, asked) -> problems.addAll(again(path, asked, lost.apply(path))));
        assertThat(ofTags).as("requested tags of %s", repository).isNotEmpty();
        assertThat(problems)
                .as("too frequent questions to the registry, with an interval of %s", interval)
                .isEmpty();
    }

    /** The time span in which a tag was requested most above the limit, if it was. */
    private List<String> tooOften(String path, List<Access> asked) {
        long worst = 0;
        String words = "";
        for (int i = 0; i < asked.size(); i++) {
            for (int j = i; j < asked.size(); j++) {
                Instant from = asked.get(i).at();
                Instant to = asked.get(j).at();
                long allowed = allowed(from, to);
                long above = j - i + 1 - allowed;
                if (above > worst) {
                    worst = above;
                    words = path + " was asked for " + (j - i + 1) + " times from " + from + " to " + to + ": at most "
                            + allowed + " are allowed; " + asked.size() + " times in all";
                }
            }
        }
        return worst == 0 ? List.of() : List.of(words);
    }

    private long allowed(Instant from, Instant to) {
        Duration span = Duration.between(from, to).plus(RESOLUTION);
        long agents = atOnce
                + starts.stream()
                        .filter(start -> start.isAfter(from) && start.isBefore(to.plus(RESOLUTION)))
                        .count();
        long hinting = hints.stream()
                .filter(hint -> hint.plus(HINT_LASTS).isAfter(from) && hint.isBefore(to.plus(RESOLUTION)))
                .count();
        long hinted = Math.min(LOOKS_PER_HINT * hinting, HINTED_PER_SECOND * (span.toSeconds() + 1));
        return agents(from, to) * AT_ANY_MOMENT + 2 * atOnce * span.dividedBy(interval) + hinted;
    }

    /** The number of agents that can have asked in this time. */
    private long agents(Instant from, Instant to) {
        return atOnce
                + starts.stream()
                        .filter(start -> start.isAfter(from) && start.isBefore(to.plus(RESOLUTION)))
                        .count();
    }

    /** The content of a digest does not change: each agent asks once, and again after a while if it got no answer. */
    private List<String> again(String path, List<Access> asked, int lost) {
        List<Instant> times = asked.stream().map(Access::at).toList();
        Instant first = times.get(0);
        Instant last = times.get(times.size() - 1);
        long agents = agents(first, last);
        long failed = asked.stream().filter(access -> access.status() >= 400).count() + lost;
        long tooSoon = IntStream.range(1, times.size())
                .filter(i -> Duration.between(times.get(i - 1), times.get(i))
                                .plus(RESOLUTION)
                                .compareTo(interval)
                        < 0)
                .count();
        return times.size() <= agents + failed && tooSoon < agents
                ? List.of()
                : List.of(path + " was asked for " + times.size() + " times from " + first + " to " + last + ", "
                        + tooSoon
                        + " times within an interval of the time before: each of " + agents
                        + " agents may ask once, and again later after each of " + failed + " failures");
    }

    /** Verifies that agents read and changed no workload of a namespace more than 30 times in any minute. */
    static void assertFewPerWorkload(AuditLog log, long mark, String namespace) {
        Map<String, List<Instant>> asked = log.since(mark, AGENT).stream()
                .filter(entry -> entry.namespace().equals(namespace)
                        && WORKLOADS.contains(entry.resource())
                        && !entry.name().isEmpty())
                .collect(Collectors.groupingBy(
                        entry -> entry.resource() + "/" + entry.name(),
                        TreeMap::new,
                        Collectors.mapping(AuditLog.Entry::received, Collectors.toList())));
        assertThat(asked)
                .as("workloads that agents requested from the API server")
                .isNotEmpty();
        List<String> problems = new ArrayList<>();
        asked.forEach((workload, received) -> {
            List<Instant> times = received.stream().sorted().toList();
            for (int i = PER_WORKLOAD_AND_MINUTE; i < times.size(); i++) {
                Instant from = times.get(i - PER_WORKLOAD_AND_MINUTE);
                if (Duration.between(from, times.get(i)).plus(ON_THE_WAY).compareTo(MINUTE) < 0) {
                    problems.add(workload + " was read and changed more than " + PER_WORKLOAD_AND_MINUTE
                            + " times from " + from + " to " + times.get(i) + "; " + times.size() + " times in all");
                    return;
                }
            }
        });
        assertThat(problems).as("too frequent requests to the API server").isEmpty();
    }
}
