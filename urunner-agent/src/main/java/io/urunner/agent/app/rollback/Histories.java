package io.urunner.agent.app.rollback;

import io.urunner.agent.Rollout;
import io.urunner.agent.app.rollback.HistoryReport.Row;
import io.urunner.agent.app.rollback.HistoryReport.Tag;
import io.urunner.agent.history.RolloutRecords;
import io.urunner.agent.plan.Intervention;
import io.urunner.agent.plan.Intervention.Followed;
import io.urunner.agent.plan.RunningDigests;
import io.urunner.kube.KubeException;
import io.urunner.kube.PastTemplate;
import io.urunner.kube.Workload;
import io.urunner.kube.WorkloadId;
import io.urunner.kube.WorkloadState.ContainerState;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore.ImageLabels;
import io.urunner.store.DigestStore.RolloutRecord;
import io.urunner.store.DigestStore.TrackedContainer;
import io.urunner.store.StoreException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Reads the history of tags: from the store, and from the annotations of the templates that the cluster keeps, which
 * are all that is left if the store was lost. For one thread.
 */
public final class Histories {
    private static final int LIMIT = 1_000;

    private final Surroundings with;
    private final Consumer<String> warn;

    /**
     * A reader.
     *
     * @param with its surroundings
     * @param warn receives a message for everything that cannot be read
     */
    public Histories(Surroundings with, Consumer<String> warn) {
        this.with = with;
        this.warn = warn;
    }

    TagHistory of(Workload workload, Followed container) {
        return of(workload, container, rollouts(workload.id()));
    }

    private TagHistory of(Workload workload, Followed container, List<RolloutRecord> rollouts) {
        return stored(container.reference())
                .with(templates(workload.id()), container)
                .with(container, rollouts)
                .withRunning(running(workload, container), with.now());
    }

    /** How the last rollout of a digest ended here, if there were any and none was seen to succeed. */
    Optional<String> neverWell(Workload workload, Followed container, String digest) {
        List<String> outcomes = rollouts(workload.id()).stream()
                .filter(rollout -> TagHistory.brought(rollout, container).equals(Optional.of(digest)))
                .map(rollout -> rollout.outcome().orElse(RolloutRecords.RUNNING))
                .toList();
        return outcomes.contains(TagHistory.SUCCEEDED)
                ? Optional.empty()
                : outcomes.stream().findFirst();
    }

    /** The workload with the original texts of images whose pin somebody put back. */
    Workload spelled(Workload workload) {
        Map<String, String> texts = new HashMap<>();
        List<Followed> back = Intervention.followed(workload).stream()
                .filter(Followed::pinIsBack)
                .toList();
        for (PastTemplate template : back.isEmpty() ? List.<PastTemplate>of() : templates(workload.id())) {
            for (Followed container : back) {
                TagHistory.state(template, container)
                        .flatMap(ContainerState::originalImage)
                        .ifPresent(text -> texts.put(container.container().name(), text));
            }
        }
        return Intervention.spelled(workload, texts);
    }

    private List<RolloutRecord> rollouts(WorkloadId id) {
        return ask(() -> with.store().rollouts(id.toString(), LIMIT)).orElse(List.of());
    }

    private List<PastTemplate> templates(WorkloadId id) {
        try {
            return with.cluster().pastTemplates(id);
        } catch (KubeException e) {
            warn.accept("warning: the workload's past templates cannot be read: " + e.getMessage());
            return List.of();
        }
    }

    private TagHistory stored(ImageReference reference) {
        return ask(() -> TagHistory.of(with.store().digests(reference.toString(), LIMIT)))
                .orElseGet(() -> TagHistory.of(List.of()));
    }

    private interface Question<T> {
        T ask() throws StoreException;
    }

    private <T> Optional<T> ask(Question<T> question) {
        try {
            return Optional.of(question.ask());
        } catch (StoreException e) {
            warn.accept("warning: the history database cannot be read: " + e.getMessage());
            return Optional.empty();
        }
    }

    /** Everything that its pods run, including those of older revisions. */
    private static Set<String> running(Workload workload, Followed container) {
        return new TreeSet<>(RunningDigests.of(workload)
                .getOrDefault(container.container().name(), new TreeMap<>())
                .keySet());
    }

    /**
     * The history of a workload's tags.
     *
     * @param id the workload
     * @return the history
     * @throws RefusedException if there is no such workload
     * @throws KubeException if the API server refused or could not be reached
     * @throws InterruptedException if the thread is interrupted
     */
    public HistoryReport of(WorkloadId id) throws RefusedException, KubeException, InterruptedException {
        Workload workload = with.read(id).orElseThrow(() -> RefusedException.notThere(id, with));
        List<RolloutRecord> rollouts = rollouts(id);
        Map<TrackedContainer, String> remembered = remembered();
        Restorability restorability = Restorability.of(with.registry(), with.access());
        List<Tag> tags = new ArrayList<>();
        for (Followed container : Intervention.followed(workload)) {
            String name = container.container().name();
            String reference = container.reference().toString();
            TagHistory history = withNow(of(workload, container, rollouts), container.reference());
            Set<String> runs = running(workload, container);
            if (runs.stream().noneMatch(history.digests()::contains)) {
                container.acted().ifPresent(runs::add); // some runtimes report a child of the index
            }
            Map<String, Set<String>> users = users(remembered, reference, id.toString());
            runs.forEach(digest ->
                    users.computeIfAbsent(digest, added -> new TreeSet<>()).add(id.toString()));
            tags.add(new Tag(
                    Optional.of(name),
                    reference,
                    rows(
                            history,
                            container.reference(),
                            restorability,
                            users,
                            digest -> rollouts.stream()
                                    .filter(rollout -> TagHistory.brought(rollout, container)
                                            .equals(Optional.of(digest)))
                                    .limit(1)
                                    .toList())));
        }
        return new HistoryReport(Optional.of(id.toString()), Intervention.hold(workload), tags);
    }

    /**
     * The history of a tag, from the store only. Information from workloads' annotations is left out: anyone who may
     * write them could claim that others' images failed.
     *
     * @param reference the image reference
     * @return the history
     * @throws InterruptedException if the thread is interrupted
     */
    public HistoryReport of(ImageReference reference) throws InterruptedException {
        String text = reference.toString();
        List<Row> rows = rows(
                stored(reference),
                reference,
                Restorability.of(with.registry(), with.access()),
                users(remembered(), text, ""),
                digest -> ask(() -> with.store().rolloutsTo(text, digest)).orElse(List.of()).stream()
                        .filter(rollout -> !Rollout.isHearsay(rollout.why()))
                        .toList());
        return new HistoryReport(Optional.empty(), Optional.empty(), List.of(new Tag(Optional.empty(), text, rows)));
    }

    private TagHistory withNow(TagHistory history, ImageReference reference) throws InterruptedException {
        try {
            return history.withNow(with.registry().resolve(reference).digest().toString(), with.now());
        } catch (RegistryException e) {
            return history; // the rows say that the registry does not answer
        }
    }

    private Map<TrackedContainer, String> remembered() {
        return ask(() -> with.store().remembered()).orElse(Map.of());
    }

    /** The workloads that run each digest, as far as the store remembers. */
    private static Map<String, Set<String>> users(
            Map<TrackedContainer, String> remembered, String reference, String except) {
        Map<String, Set<String>> users = new TreeMap<>();
        remembered.forEach((tracked, digest) -> {
            if (tracked.reference().equals(reference) && !tracked.workload().equals(except)) {
                users.computeIfAbsent(digest, added -> new TreeSet<>()).add(tracked.workload());
            }
        });
        return users;
    }

    private interface Rollouts {
        List<RolloutRecord> to(String digest);
    }

    private static List<Row> rows(
            TagHistory history,
            ImageReference reference,
            Restorability restorability,
            Map<String, Set<String>> users,
            Rollouts rollouts)
            throws InterruptedException {
        List<Row> rows = new ArrayList<>();
        Set<String> counted = new HashSet<>();
        Map<String, Restorability.Answer> answers = new LinkedHashMap<>();
        Optional<Restorability.Answer> silent = Optional.empty();
        for (TagHistory.Entry entry : history.entries()) {
            String digest = entry.digest();
            Restorability.Answer answer = answers.get(digest);
            if (answer == null) {
                // Do not ask a registry that does not answer fifty times.
                answer = silent.isPresent() ? silent.get() : restorability.check(reference, digest);
                answers.put(digest, answer);
                silent = answer.known() ? silent : Optional.of(answer);
            }
            boolean failed = history.failures().containsKey(digest);
            int step = counted.size();
            rows.add(new Row(
                    (step == 0 || !failed) && counted.add(digest) ? Optional.of(step) : Optional.empty(),
                    digest,
                    entry.firstSeen(),
                    entry.lastSeen(),
                    entry.labels().flatMap(ImageLabels::revision),
                    entry.labels().flatMap(ImageLabels::version),
                    entry.labels().flatMap(ImageLabels::created).map(Instant::toString),
                    failed ? Optional.of(TagHistory.FAILED) : outcome(rollouts.to(digest)),
                    List.copyOf(users.getOrDefault(digest, Set.of())),
                    answer.word(),
                    Optional.of(answer.words()).filter(why -> !why.isEmpty())));
        }
        return rows;
    }

    /** How each workload's last rollout of a digest ended. */
    private static Optional<String> outcome(List<RolloutRecord> rollouts) {
        Map<String, String> last = new LinkedHashMap<>();
        rollouts.forEach(rollout ->
                last.putIfAbsent(rollout.workload(), rollout.outcome().orElse(RolloutRecords.RUNNING)));
        Map<String, Long> counts = last.values().stream()
                .collect(Collectors.groupingBy(word -> word, TreeMap::new, Collectors.counting()));
        return last.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        last.size() == 1
                                ? counts.keySet().iterator().next()
                                : counts.entrySet().stream()
                                        .map(count -> count.getValue() + " " + count.getKey())
                                        .collect(Collectors.joining(", ")));
    }
}
