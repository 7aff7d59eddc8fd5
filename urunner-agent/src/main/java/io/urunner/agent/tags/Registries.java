package io.urunner.agent.tags;

import io.urunner.agent.AgentListener;
import io.urunner.agent.HostStatus;
import io.urunner.agent.RegistryProbe;
import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.loop.StateLog;
import io.urunner.agent.plan.Answer;
import io.urunner.agent.plan.Content;
import io.urunner.agent.plan.ImageDigest;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The watched registries: what each reference resolves to, and what digests stand for. On the loop. */
public final class Registries {
    private final List<RegistryWatch> registries;
    private final Contents contents;

    /** Called on the loop. */
    public interface Events {
        /**
         * What is known of a reference may have changed. For a new digest, this is called once its content is known as well,
         * or takes too long to wait for.
         */
        void changed(ImageReference reference);

        /** A reference has a new digest, for those on whose behalf the question is asked. */
        void moved(Question question, Digest from, Digest to);

        /** A pass over a registry is over. */
        void passed(boolean whole);

        /** Whether everything in the cluster is known. */
        boolean seesAll();
    }

    /** What the registries need from outside. */
    record Parts(
            Loop loop,
            InstantSource clock,
            Executor workers,
            Memory memory,
            StateLog problems,
            AgentListener listener,
            Events events) {}

    public Registries(
            Collection<WatchedRegistry> registries,
            Loop loop,
            InstantSource clock,
            Executor workers,
            Memory memory,
            StateLog problems,
            AgentListener listener,
            Events events) {
        Parts parts = new Parts(loop, clock, workers, memory, problems, listener, events);
        Duration longest = registries.stream()
                .map(WatchedRegistry::interval)
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        contents = new Contents(loop, longest, events::changed);
        Labels labels = new Labels(memory, contents);
        // If two prefixes match, the longer one is more specific.
        this.registries = registries.stream()
                .sorted(Comparator.comparingInt(
                        (WatchedRegistry registry) -> -registry.prefix().path().length()))
                .map(registry -> new RegistryWatch(registry, parts, contents, labels))
                .toList();
    }

    public void start() {
        registries.forEach(registry -> registry.queue().start());
    }

    public void stop() {
        registries.forEach(registry -> registry.queue().stop());
    }

    public boolean watches(ImageReference reference) {
        return find(reference).isPresent();
    }

    private Optional<RegistryWatch> find(ImageReference reference) {
        return registries.stream()
                .filter(registry -> registry.registry().prefix().matches(reference))
                .findFirst();
    }

    /** A namespace uses a reference from now on. */
    public void track(ImageReference reference, String namespace) {
        find(reference).ifPresent(registry -> registry.track(reference, namespace));
    }

    /** A namespace no longer uses a reference. */
    public void untrack(ImageReference reference, String namespace) {
        find(reference).ifPresent(registry -> registry.untrack(reference, namespace));
    }

    /** Asks for a reference before its turn, at most once per interval. */
    public void look(ImageReference reference) {
        find(reference).ifPresent(registry -> registry.ask(reference, HostQueue::look));
    }

    /** Asks for a reference as soon as its registry may be asked for anything. */
    void lookNext(ImageReference reference) {
        find(reference).ifPresent(registry -> registry.ask(reference, HostQueue::lookNext));
    }

    /** Asks for everything now, except at registries that must not be asked. */
    public void refresh() {
        registries.forEach(registry -> registry.queue().refresh());
    }

    /** The references that are asked for. */
    List<ImageReference> references() {
        return registries.stream()
                .flatMap(registry -> registry.references().stream())
                .toList();
    }

    /** Whether an answer about this reference, or the content that belongs to it, is awaited for a namespace. */
    public boolean pending(ImageReference reference, String namespace) {
        return find(reference)
                .filter(registry -> registry.pending(reference, namespace))
                .isPresent();
    }

    /**
     * Returns what the registry says to a namespace. If a failing host was not asked for a reference again, its failure is
     * the answer.
     */
    public Answer answer(ImageReference reference, String namespace) {
        return find(reference)
                .map(registry -> registry.answer(reference, namespace))
                .orElseGet(Answer.NotAsked::new);
    }

    /** Since when a reference has had the digest that a namespace sees, as far as was seen; empty until that is known. */
    public Optional<Instant> standsSince(ImageReference reference, String namespace) {
        return find(reference).flatMap(registry -> registry.standsSince(reference, namespace));
    }

    /** Since when a reference has had the digests that its users see. */
    public List<Optional<Instant>> standsSince(ImageReference reference) {
        return find(reference).map(registry -> registry.standsSince(reference)).orElse(List.of());
    }

    /**
     * Whether an answer is too old to act on: a decision older than one interval is made again. If a limit or the registry's
     * own pace prevents asking everything in an interval, an answer is valid until the reference's turn.
     */
    public boolean tooOld(ImageReference reference, String namespace) {
        return find(reference)
                .map(registry -> registry.tooOld(reference, namespace))
                .orElse(true);
    }

    /** What a digest named by an annotation stands for, as far as is known. */
    public Content content(ImageDigest written, String namespace) {
        try {
            ImageReference image = written.parse();
            return content(image.withoutDigest().orElse(image), image.digest().orElseThrow(), namespace);
        } catch (IllegalArgumentException e) {
            return new Content.Unavailable(String.valueOf(e.getMessage()));
        }
    }

    /** What a digest of a reference stands for, as far as is known. */
    public Content content(ImageReference reference, Digest digest, String namespace) {
        return find(reference)
                .map(registry -> contents.content(registry.question(reference, namespace), digest))
                .orElseGet(() -> new Content.Unavailable(reference.registry() + " is not watched"));
    }

    /**
     * Reads what digests stand for; when that is known, or cannot be read for now, the reference counts as changed.
     *
     * @param images by tag and digest
     * @return whether to wait for that; false if it takes too long
     */
    public boolean fetch(Collection<ImageReference> images, String namespace) {
        boolean awaits = false;
        for (ImageReference image : images) {
            ImageReference reference = image.withoutDigest().orElse(image);
            Digest digest = image.digest().orElseThrow();
            awaits |= find(reference)
                    .filter(registry -> registry.fetch(reference, digest, namespace))
                    .isPresent();
        }
        return awaits;
    }

    /**
     * Checks on demand whether a registry answers; the same question is asked once per interval, and its answer is reused
     * until then.
     *
     * @param probe what to ask
     * @param told receives on the loop what is wrong, if anything
     */
    public void check(RegistryProbe probe, Consumer<Optional<RegistryException>> told) {
        registries.stream()
                .filter(one -> one.registry().prefix().equals(probe.registry()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(probe.registry() + " is not watched"))
                .check(probe.image(), told);
    }

    /** Whether a pass runs, or content is being read. */
    public boolean busy() {
        return registries.stream().anyMatch(registry -> registry.queue().running()) || contents.busy();
    }

    /** When a reference is asked next for a namespace; empty while it is being asked. */
    public Optional<Instant> nextLook(ImageReference reference, String namespace) {
        return find(reference).flatMap(registry -> registry.queue().next(registry.question(reference, namespace)));
    }

    /** Whether every registry has been asked for all of its references once. */
    public boolean passed() {
        return registries.stream()
                .allMatch(registry -> registry.queue().status().passes() > 0);
    }

    public List<HostStatus> status() {
        return registries.stream()
                .map(registry -> registry.queue().status())
                .sorted(Comparator.comparing(HostStatus::host))
                .toList();
    }

    /** By registry, how long requests other than questions have been under way without one ending. */
    public Map<String, Duration> requestsStandStill() {
        return registries.stream()
                .collect(Collectors.toMap(
                        registry -> registry.registry().prefix().toString(),
                        registry -> registry.queue().requestsStandStill(),
                        Pace::max));
    }
}
