package io.urunner.agent.tags;

import io.urunner.agent.history.Memory;
import io.urunner.agent.loop.Turns;
import io.urunner.registry.Descriptor;
import io.urunner.registry.Digest;
import io.urunner.registry.RegistryException;
import io.urunner.store.DigestStore.Image;
import io.urunner.store.DigestStore.ImageLabels;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the labels of images, for the history: of digests to which a tag moved, once their {@linkplain Contents content}
 * has been read. Reads one at a time per registry, so that no rollout has to wait. What cannot be read is left out. On the
 * loop.
 */
final class Labels {
    private static final Logger LOG = LoggerFactory.getLogger(Labels.class);

    /** How many wait at most per registry and namespace: if more tags move at once, the labels of some are never known. */
    private static final int WAITING = 500;

    /** How many configurations' labels are kept, for a tag that returns and for other tags of the same image. */
    private static final int KEPT = 500;

    private final Memory memory;
    private final Contents contents;
    private final Map<Watched, Line> lines = new HashMap<>();
    private final Map<Digest, Optional<ImageLabels>> known = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Digest, Optional<ImageLabels>> eldest) {
            return size() > KEPT;
        }
    };

    /** What waits at one registry. */
    private static final class Line {
        private final Turns<Wanted> waiting = new Turns<>(WAITING);
        private boolean reading;
    }

    private record Wanted(Question question, Digest digest) {}

    Labels(Memory memory, Contents contents) {
        this.memory = memory;
        this.contents = contents;
    }

    /** Reads the labels of a digest to which a tag moved. */
    void read(Watched registry, Question question, Digest digest) {
        Line line = lines.computeIfAbsent(registry, added -> new Line());
        line.waiting.add(new Wanted(question, digest), registry.namespaces(question));
        next(registry, line);
    }

    private void next(Watched registry, Line line) {
        while (!line.reading && !line.waiting.isEmpty()) {
            Wanted wanted = line.waiting.next().orElseThrow().item();
            if (!registry.isLimited(wanted.question.asker())) {
                line.reading = true;
                follow(registry, line, wanted, wanted.digest(), 1);
            }
        }
    }

    /** Goes from the digest of the tag, through the first image of an index, to the configuration of an image. */
    private void follow(Watched registry, Line line, Wanted wanted, Digest digest, int depth) {
        contents.read(wanted.question, digest, registry, () -> {
            Optional<Links> links = contents.links(digest);
            Optional<Descriptor> config = links.flatMap(Links::config);
            Optional<Digest> child =
                    links.flatMap(found -> found.children().stream().findFirst());
            if (config.isPresent()) {
                read(registry, line, wanted, config.get());
            } else if (child.isPresent() && depth < ContentWalk.DEEPEST) {
                follow(registry, line, wanted, child.get(), depth + 1);
            } else {
                over(registry, line);
            }
        });
    }

    private void read(Watched registry, Line line, Wanted wanted, Descriptor config) {
        Question image = wanted.question.image(config.digest());
        String what = image.asker().at("the configuration " + image.reference());
        Optional<ImageLabels> read = known.get(config.digest());
        if (read != null || registry.queue().wasSent(what)) {
            Optional.ofNullable(read).ifPresent(labels -> remember(wanted, labels));
            over(registry, line);
            return;
        }
        registry.queue().send(new Requests.Request<Optional<ImageLabels>>() {
            @Override
            public String what() {
                return what;
            }

            @Override
            public Asker asker() {
                return image.asker();
            }

            @Override
            public Collection<String> namespaces() {
                return registry.namespaces(wanted.question);
            }

            @Override
            public Optional<ImageLabels> send() throws RegistryException, InterruptedException {
                return registry.source(image.asker()).labels(image.reference(), config);
            }

            @Override
            public void answered(Optional<ImageLabels> labels) {
                known.put(config.digest(), labels);
                remember(wanted, labels);
                over(registry, line);
            }

            @Override
            public void failed(String words) {
                LOG.debug("the labels of {}@{} cannot be read: {}", image.reference(), wanted.digest(), words);
                over(registry, line);
            }
        });
    }

    private void remember(Wanted wanted, Optional<ImageLabels> labels) {
        labels.ifPresent(found -> memory.labels(
                new Image(
                        wanted.question.reference().toString(), wanted.digest().toString()),
                found));
    }

    private void over(Watched registry, Line line) {
        line.reading = false;
        next(registry, line);
    }
}
