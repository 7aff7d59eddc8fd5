package io.urunner.agent.tags;

import io.urunner.agent.loop.Loop;
import io.urunner.agent.loop.Pace;
import io.urunner.agent.plan.Content;
import io.urunner.registry.Digest;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * What digests stand for. Each manifest is read once: when a tag moves to it, or when a plan, a rollout that is judged or
 * the history needs it. A digest never names anything else, so its content is kept by digest, regardless of the asker and
 * the repository; reading it here throws nothing away. A failure concerns one repository and asker, with its own back-off.
 * On the loop.
 */
final class Contents {
    /** How many digests are kept at most. Beyond that, new ones are refused: those in use would be read again and again. */
    private static final int MOST_DIGESTS = 50_000;

    /** How many of them are kept for one namespace. */
    private static final int MOST_OF_A_NAMESPACE = MOST_DIGESTS / 4;

    /** With fewer than these, nothing is evicted. */
    private static final int FEW_DIGESTS = 2_000;

    /** What nobody has needed for this long, nor in two passes, may be evicted. */
    private static final Duration UNUSED = Duration.ofMinutes(10);

    /** If all that there is room for was in use, how long until this is checked again. */
    private static final Duration LOOK_FOR_ROOM = Duration.ofMinutes(1);

    private static final int MOST_FAILURES = 10_000;

    /** How long a plan waits for content that is being read. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Loop loop;
    private final Duration unused;
    private final Consumer<ImageReference> changed;
    private final Map<Digest, Kept> kept = new HashMap<>();
    private int digests;
    /** How many digests are kept, by the namespace for which they were read. */
    private final Map<String, Integer> shares = new HashMap<>();
    /** When there are more digests than this, unused ones are evicted. */
    private int room = FEW_DIGESTS;

    private long lookedForRoom;

    private final Map<Sought, Reading> reading = new HashMap<>();

    private final Map<Question, Map<Digest, Wanted>> wanted = new HashMap<>();

    /** Why an image could not be read. */
    private final Map<Question, Failure> failures = new Failures();

    /** By question, as only some askers may have had no room. */
    private final Map<Question, Failure> crowdedOut = new Failures();

    private static final class Failures extends LinkedHashMap<Question, Failure> {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Question, Failure> eldest) {
            return size() > MOST_FAILURES;
        }
    }

    private static final class Kept {
        private final Links links;
        private final String owner;
        private long used;
        /** What the digest stands for, if everything is known. */
        private Optional<Content> content = Optional.empty();

        Kept(Links links, String owner, long used) {
            this.links = links;
            this.owner = owner;
            this.used = used;
        }

        int digests() {
            return 1 + links.children().size() + (links.config().isPresent() ? 1 : 0);
        }
    }

    /** A digest that an asker reads through a queue: a host that hangs does not prevent reading it from another. */
    private record Sought(HostQueue queue, Asker asker, Digest digest) {}

    /** A manifest that is being read from a repository, and what continues then. */
    private record Reading(Question image, Set<Runnable> then) {}

    /** Reads a manifest, unless another repository from which it is being read has it. */
    private record OtherFirst(Contents contents, Question question, Digest digest, Watched registry, Runnable then)
            implements Runnable {
        @Override
        public void run() {
            contents.read(question, digest, registry, then);
        }
    }

    private static final class Failure {
        /** The references that were notified of it: they are notified when it may be retried. */
        private final Set<ImageReference> told = new HashSet<>();

        private String words = "";
        private boolean resting;
        private int times;
    }

    /** A digest whose content is being read for a reference. Continues whenever one of its manifests was read. */
    private final class Wanted implements Runnable {
        private final Question question;
        private final Digest digest;
        private final Watched registry;
        /** What continues when it was read, or could not be. */
        private final List<Runnable> then = new ArrayList<>();

        private Loop.Timer patience = () -> {};
        private boolean awaited = true;

        Wanted(Question question, Digest digest, Watched registry) {
            this.question = question;
            this.digest = digest;
            this.registry = registry;
        }

        @Override
        public void run() {
            if (!(content(question, digest) instanceof Content.Unread)) {
                if (forget()) {
                    patience.cancel();
                    changed.accept(question.reference());
                    then.forEach(Runnable::run);
                }
                return;
            }
            for (Digest missing : ContentWalk.from(digest, Contents.this::links).missing()) {
                read(question, missing, registry, this);
            }
        }

        private boolean forget() {
            Map<Digest, Wanted> ofQuestion = wanted.getOrDefault(question, Map.of());
            boolean was = ofQuestion.get(digest) == this && ofQuestion.remove(digest) != null;
            if (ofQuestion.isEmpty()) {
                wanted.remove(question);
            }
            return was;
        }

        private void wait(Duration longest) {
            patience = loop.after(longest, () -> {
                awaited = false;
                changed.accept(question.reference());
            });
        }
    }

    /**
     * {@code longest} is the longest interval of a registry; {@code changed} is called when the content of a digest of a
     * reference is known, cannot be read for now, or takes too long to wait for.
     */
    Contents(Loop loop, Duration longest, Consumer<ImageReference> changed) {
        this.loop = loop;
        unused = Pace.max(UNUSED, longest.multipliedBy(2));
        this.changed = changed;
    }

    /** What a digest stands for, as far as is known. */
    Content content(Question question, Digest digest) {
        Kept root = kept.get(digest);
        if (root != null && root.content.isPresent()) {
            root.used = loop.nanos();
            return root.content.get();
        }
        ContentWalk walk = ContentWalk.from(digest, this::links);
        if (walk.missing().isEmpty()) {
            Optional.ofNullable(root).ifPresent(all -> all.content = Optional.of(walk.content()));
            return walk.content();
        }
        Optional<Failure> failure = resting(question, walk.missing());
        if (failure.isPresent()) {
            failure.get().told.add(question.reference());
            return new Content.Unavailable(failure.get().words);
        }
        return walk.content();
    }

    /** What a manifest refers to, if it was read. */
    Optional<Links> links(Digest digest) {
        Kept found = kept.get(digest);
        if (found == null) {
            return Optional.empty();
        }
        found.used = loop.nanos();
        return Optional.of(found.links);
    }

    /** Reads what is missing of the content of a digest. */
    void fetch(Question question, Digest digest, Watched registry) {
        fetch(question, digest, registry, () -> {});
    }

    /**
     * Reads what is missing of the content of a digest, a moment later: while an answer is being processed, the registry's
     * queue does not know it yet.
     *
     * @param then what continues when it was read, or could not be
     */
    void fetch(Question question, Digest digest, Watched registry, Runnable then) {
        Map<Digest, Wanted> ofQuestion = wanted.computeIfAbsent(question, added -> new HashMap<>(2));
        Wanted one = ofQuestion.get(digest);
        if (one == null) {
            one = new Wanted(question, digest, registry);
            ofQuestion.put(digest, one);
            one.wait(PATIENCE);
            loop.execute(one);
        }
        one.then.add(then);
    }

    /** Whether content of a reference is being read, and a plan should wait for it. */
    boolean awaits(Question question) {
        return wanted.getOrDefault(question, Map.of()).values().stream().anyMatch(one -> one.awaited);
    }

    /** What prevents manifests from being read for now. */
    private Optional<Failure> resting(Question question, List<Digest> manifests) {
        return Stream.concat(
                        Stream.ofNullable(crowdedOut.get(question)),
                        manifests.stream().flatMap(digest -> Stream.ofNullable(failures.get(question.image(digest)))))
                .filter(failure -> failure.resting)
                .findFirst();
    }

    /**
     * Reads one manifest, unless it is known or cannot be read for now, or there may be no room for it.
     *
     * @param question the question for which it is needed; tags with the same digest share the image
     * @param then what continues when it was read, or could not be
     */
    void read(Question question, Digest digest, Watched registry, Runnable then) {
        Question image = question.image(digest);
        Collection<String> namespaces = registry.namespaces(question);
        Duration interval = registry.registry().interval();
        Sought sought = new Sought(registry.queue(), image.asker(), digest);
        Reading other = reading.get(sought);
        if (other != null) {
            other.then.add(other.image.equals(image) ? then : new OtherFirst(this, question, digest, registry, then));
            return;
        }
        if (links(digest).isPresent() || resting(question, List.of(digest)).isPresent()) {
            loop.execute(then);
            return;
        }
        String owner = owner(namespaces);
        if (!hasRoom(owner, ContentWalk.MOST)) {
            crowdOut(question, interval);
            loop.execute(then);
            return;
        }
        reading.put(sought, new Reading(image, new LinkedHashSet<>(Set.of(then))));
        registry.queue().send(new Requests.Request<Links>() {
            @Override
            public String what() {
                return image.asker().at("the manifest " + image.reference());
            }

            @Override
            public Asker asker() {
                return image.asker();
            }

            @Override
            public Collection<String> namespaces() {
                return namespaces;
            }

            @Override
            public Links send() throws RegistryException, InterruptedException {
                return registry.source(image.asker()).manifest(image.reference());
            }

            @Override
            public void answered(Links links) {
                keep(question, digest, owner, links, interval);
                goOn(sought);
            }

            @Override
            public void failed(String words) {
                fail(failures, image, words, interval);
                goOn(sought);
            }

            @Override
            public void notSent(String words) {
                rest(failures, image, words, Pace.backOff(interval, 1));
                goOn(sought);
            }
        });
    }

    private void goOn(Sought sought) {
        Optional.ofNullable(reading.remove(sought)).ifPresent(over -> over.then.forEach(Runnable::run));
    }

    private void keep(Question question, Digest digest, String owner, Links links, Duration interval) {
        if (kept.containsKey(digest)) {
            return; // read from another host in the meantime
        }
        Kept added = new Kept(links, owner, loop.nanos());
        if (!hasRoom(owner, added.digests())) {
            crowdOut(question, interval);
            return;
        }
        failures.remove(question.image(digest));
        crowdedOut.remove(question);
        kept.put(digest, added);
        digests += added.digests();
        shares.merge(owner, added.digests(), Integer::sum);
    }

    /** The namespace whose share includes what several use: the one with the smallest share. */
    private String owner(Collection<String> namespaces) {
        return namespaces.stream().min(Comparator.comparingInt(this::share)).orElse("");
    }

    private int share(String owner) {
        return shares.getOrDefault(owner, 0);
    }

    /** Whether this many more digests may be kept for a namespace. What nobody needs makes room. */
    private boolean hasRoom(String owner, int more) {
        boolean lookAgain = loop.nanos() - lookedForRoom >= LOOK_FOR_ROOM.toNanos();
        if (digests + more > room || (lookAgain && !hasShare(owner, more))) {
            giveUpUnused();
        }
        return digests + more <= MOST_DIGESTS && hasShare(owner, more);
    }

    private boolean hasShare(String owner, int more) {
        return owner.isEmpty() || share(owner) + more <= MOST_OF_A_NAMESPACE;
    }

    private void crowdOut(Question question, Duration interval) {
        Failure before = crowdedOut.get(question);
        if (before == null || !before.resting) {
            fail(crowdedOut, question, "too many digests are in use to keep the content of all", interval);
        }
    }

    private void giveUpUnused() {
        long now = loop.nanos();
        if (room == MOST_DIGESTS && now - lookedForRoom < LOOK_FOR_ROOM.toNanos()) {
            return;
        }
        lookedForRoom = now;
        long before = now - unused.toNanos();
        kept.values().removeIf(one -> one.used < before);
        digests = kept.values().stream().mapToInt(Kept::digests).sum();
        shares.clear();
        kept.values().forEach(one -> shares.merge(one.owner, one.digests(), Integer::sum));
        room = Math.min(MOST_DIGESTS, Math.max(FEW_DIGESTS, 2 * digests));
    }

    private void fail(Map<Question, Failure> failed, Question key, String words, Duration interval) {
        Failure failure = failed.computeIfAbsent(key, added -> new Failure());
        failure.times++;
        rest(failed, key, words, Pace.backOff(interval, failure.times));
    }

    private void rest(Map<Question, Failure> failed, Question key, String words, Duration pause) {
        Failure failure = failed.computeIfAbsent(key, added -> new Failure());
        failure.words = words;
        failure.resting = true;
        loop.after(pause, () -> {
            failure.resting = false;
            List<ImageReference> told = List.copyOf(failure.told);
            failure.told.clear();
            told.forEach(changed);
        });
    }

    /** Whether the content of a digest is being read. */
    boolean busy() {
        return !wanted.isEmpty();
    }
}
