package io.urunner.agent.tags;

import io.urunner.agent.plan.Content;
import io.urunner.registry.Digest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a digest stands for, as far as the manifests that it leads to are known.
 *
 * @param missing the manifests that must be read first; empty if nothing is missing
 * @param content what it stands for; {@link Content.Unread} while something is missing
 */
record ContentWalk(List<Digest> missing, Content content) {
    /** An index of indexes of images; nobody runs an image that is nested more deeply. */
    static final int DEEPEST = 3;

    /** How many manifests are read for one digest at most: each is a request. */
    static final int MOST = 200;

    /** Walks from {@code root} over the manifests that {@code known} has, and reads nothing. */
    static ContentWalk from(Digest root, Function<Digest, Optional<Links>> known) {
        Set<Digest> digests = new HashSet<>();
        List<Digest> missing = new ArrayList<>();
        Set<Digest> manifests = new HashSet<>(Set.of(root));
        List<Digest> level = List.of(root);
        for (int depth = 1; !level.isEmpty(); depth++) {
            if (depth > DEEPEST) {
                return tooLarge("it is an index of indexes, more than " + DEEPEST + " deep");
            }
            List<Digest> next = new ArrayList<>();
            for (Digest digest : level) {
                digests.add(digest);
                Optional<Links> links = known.apply(digest);
                if (links.isEmpty()) {
                    missing.add(digest);
                    continue;
                }
                links.get().config().ifPresent(config -> digests.add(config.digest()));
                links.get().children().stream().filter(manifests::add).forEach(next::add);
            }
            if (manifests.size() > MOST) {
                return tooLarge("it is an index of more than " + MOST + " images");
            }
            level = next;
        }
        return missing.isEmpty()
                ? new ContentWalk(
                        List.of(),
                        new Content.Known(digests.stream().map(Digest::toString).collect(Collectors.toSet())))
                : new ContentWalk(missing, new Content.Unread());
    }

    private static ContentWalk tooLarge(String words) {
        return new ContentWalk(List.of(), new Content.Unavailable(words + ", which are not all read"));
    }
}
