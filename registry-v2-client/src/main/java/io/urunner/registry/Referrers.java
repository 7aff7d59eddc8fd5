package io.urunner.registry;

import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import okhttp3.Headers;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What refers to manifests ("Listing Referrers" and "Referrers Tag Schema", OCI distribution specification). Where a
 * registry lacks the API, its clients keep the list themselves, as an index under a tag made of the subject's digest.
 * Thread-safe.
 */
final class Referrers {
    private static final Logger LOG = LoggerFactory.getLogger(Referrers.class);
    private static final String LIST = "list the referrers of";
    private static final String UPDATE = "update the referrers of";
    private static final String FILTERED = "OCI-Filters-Applied";

    /** The answers of registries that do not know the API. */
    private static final Set<Integer> NO_API = Set.of(400, 404, 405, 406, 410, 501);

    /** How many times a list is written before other writers have won. */
    private static final int MOST_ROUNDS = 10;

    private static final int MOST_LOCKS = 1000;

    private static final Duration SHORTEST_PAUSE = Duration.ofMillis(20);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    private final Caller caller;
    private final Manifests manifests;
    private final Listings listings;

    /** Writers of one client take turns. */
    private final LruMap<ImageReference, ReentrantLock> locks = new LruMap<>(MOST_LOCKS);

    Referrers(Caller caller, Manifests manifests, Listings listings) {
        this.caller = caller;
        this.manifests = manifests;
        this.listings = listings;
    }

    Pages<Descriptor> list(Repository repository, Digest subject, Optional<String> artifactType) {
        Call call = call(repository, subject);
        String type = artifactType.orElse("");
        String query = type.isEmpty() ? "" : "?artifactType=" + URLEncoder.encode(type, StandardCharsets.UTF_8);
        String first = call.target() + query;
        return listings.pages(call, first, (target, items) -> {
            Call page = call.at(target);
            Deadline deadline = caller.deadline();
            boolean isFirst = target.equals(first);
            try (Response response = caller.call(page, isFirst ? NO_API : Set.of(), deadline)) {
                Index listed = response.isSuccessful() ? manifests.whole(response, Referrers::parsed) : null;
                if (listed != null) {
                    addOfType(filters(response) ? "" : type, listed.manifests(), items);
                    return listings.next(page, response);
                }
            } catch (IOException e) {
                throw caller.broken(page, e);
            } catch (MalformedManifestException e) {
                throw page.violated(200, String.valueOf(e.getMessage()), e);
            }
            if (!isFirst) {
                throw page.violated(200, "a page of the list is no index", null);
            }
            addOfType(type, byTag(repository, subject, deadline), items);
            return null;
        });
    }

    private static Call call(Repository repository, Digest subject) {
        return Call.on(repository, LIST, Optional.of(subject.toString()), "GET", "/referrers/" + subject, "pull")
                .with(Headers.of("Accept", MediaType.OCI_INDEX));
    }

    /** The list in an answer, or null if it is none: what does not know the API may answer with a page or nothing. */
    private static @Nullable Index parsed(byte[] content) {
        try {
            return ManifestOrIndex.parse(content, "") instanceof Index index ? index : null;
        } catch (MalformedManifestException e) {
            if (isTooLarge(e)) {
                throw e;
            }
            return null;
        }
    }

    /** Whether it is a list, but one that exceeds the limits: that is not the same as no list. */
    private static boolean isTooLarge(MalformedManifestException e) {
        return e.getCause() instanceof StreamConstraintsException;
    }

    private static boolean filters(Response response) {
        for (String header : response.headers(FILTERED)) {
            for (String filter : header.split(",", -1)) {
                if (filter.strip().equalsIgnoreCase("artifactType")) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Adds the entries of a type, or all entries if the type is empty. */
    private static void addOfType(String type, List<Descriptor> entries, List<Descriptor> items) {
        for (Descriptor entry : entries) {
            if (type.isEmpty() || entry.artifactType().orElse("").equals(type)) {
                items.add(entry);
            }
        }
    }

    /** The entries of the fallback tag. If something else has the tag, there is no list. */
    private List<Descriptor> byTag(Repository repository, Digest subject, Deadline deadline)
            throws RegistryException, InterruptedException {
        try {
            return manifests.read(tag(repository, subject), LIST, deadline) instanceof Index index
                    ? index.manifests()
                    : List.of();
        } catch (NotFoundException e) {
            return List.of();
        } catch (ProtocolViolationException e) {
            rethrowUnlessNoList(e);
            return List.of();
        }
    }

    /** Throws an error of reading the fallback tag, unless it is that the content is no list: neither JSON nor an index. */
    private static void rethrowUnlessNoList(ProtocolViolationException e) throws ProtocolViolationException {
        if (!(e.getCause() instanceof MalformedManifestException malformed) || isTooLarge(malformed)) {
            throw e;
        }
    }

    /** Algorithm and hash, cut and cleaned by the specification's rules so that they are a tag. */
    static ImageReference tag(Repository repository, Digest subject) {
        String text = cut(subject.algorithm(), 32) + "-" + cut(subject.hex(), 64);
        return repository.tag(text.replaceAll("[^a-zA-Z0-9._-]", "-"));
    }

    private static String cut(String text, int most) {
        return text.length() > most ? text.substring(0, most) : text;
    }

    /** Pushes a manifest and, if the registry does not say that it knows its subject, lists it there. */
    Descriptor push(ImageReference image, ManifestOrIndex content) throws RegistryException, InterruptedException {
        Deadline deadline = caller.deadline();
        boolean listed = manifests.push(image, content, deadline);
        Descriptor subject = content.subject().orElse(null);
        if (subject != null && !listed) {
            Descriptor entry = entry(image, content);
            update(image.toRepository(), subject.digest(), deadline, entry.digest(), entry);
        }
        return content.descriptor();
    }

    private static Descriptor entry(ImageReference image, ManifestOrIndex content) {
        return new Descriptor(
                content.mediaType(),
                image.digest().orElse(content.digest()),
                content.descriptor().size(),
                Optional.empty(),
                content.artifactType(),
                content.annotations());
    }

    /** Deletes a manifest and takes it out of the list of its subject's referrers, if clients keep that. */
    void delete(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        Descriptor subject = subject(repository, digest);
        manifests.delete(repository, digest.toString());
        if (subject == null) {
            return;
        }
        Deadline deadline = caller.deadline();
        try {
            if (!hasApi(repository, subject.digest(), deadline)) {
                update(repository, subject.digest(), deadline, digest, null);
            }
        } catch (RegistryException e) {
            // The manifest is deleted, which is what was asked for. An entry without content harms nobody.
            LOG.warn("{} is deleted but still listed as a referrer: {}", digest, e.getMessage());
        }
    }

    /** The subject of a manifest, or null if it has none or cannot be read: the deletion says what is wrong. */
    private @Nullable Descriptor subject(Repository repository, Digest digest) throws InterruptedException {
        if (!digest.isVerifiable()) {
            return null;
        }
        try {
            return manifests
                    .read(repository.digest(digest), "delete", caller.deadline())
                    .subject()
                    .orElse(null);
        } catch (RegistryException e) {
            return null;
        }
    }

    private boolean hasApi(Repository repository, Digest subject, Deadline deadline)
            throws RegistryException, InterruptedException {
        Call call = call(repository, subject);
        try (Response response = caller.call(call, NO_API, deadline)) {
            return response.isSuccessful() && manifests.whole(response, Referrers::parsed) != null;
        } catch (IOException e) {
            throw caller.broken(call, e);
        }
    }

    /**
     * Reads the list, changes it, writes it, and looks again whether it is as it should be, until it is. No registry
     * that lacks the referrers API compares before it writes ({@code If-Match}), so a writer that read the list before
     * us may write after us, without our change. It takes about as long as we do, so we wait longer before we look.
     *
     * @param digest what the list is to contain or not
     * @param entry its entry, or null to take it out
     */
    private void update(
            Repository repository, Digest subject, Deadline deadline, Digest digest, @Nullable Descriptor entry)
            throws RegistryException, InterruptedException {
        ImageReference tag = tag(repository, subject);
        ReentrantLock lock = locks.putIfAbsent(tag, new ReentrantLock());
        if (!lock.tryLock(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
            throw unfinished(repository, subject);
        }
        try {
            for (int round = 0; round <= MOST_ROUNDS; round++) {
                long started = caller.ticks();
                Index list = current(tag, repository, subject, deadline);
                List<Descriptor> before = list == null ? List.of() : list.manifests();
                List<Descriptor> after = changed(before, digest, entry);
                if (after.equals(before)) {
                    return;
                }
                if (round < MOST_ROUNDS) {
                    manifests.push(tag, with(list, after, repository, subject), deadline);
                    caller.pause(pause(caller.ticks() - started, deadline));
                }
            }
        } finally {
            lock.unlock();
        }
        throw unfinished(repository, subject);
    }

    private static List<Descriptor> changed(List<Descriptor> entries, Digest digest, @Nullable Descriptor entry) {
        List<Descriptor> changed = new ArrayList<>();
        for (Descriptor other : entries) {
            if (!other.digest().equals(digest)) {
                changed.add(other);
            }
        }
        if (entry != null) {
            if (changed.size() < entries.size()) {
                return entries;
            }
            changed.add(entry);
        }
        return changed;
    }

    private static Duration pause(long nanos, Deadline deadline) {
        Duration wait = Duration.ofNanos(3 * nanos);
        wait = wait.compareTo(SHORTEST_PAUSE) < 0 ? SHORTEST_PAUSE : wait;
        wait = wait.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait;
        Duration half = deadline.remaining().dividedBy(4);
        return wait.compareTo(half) > 0 ? half : wait;
    }

    /**
     * The list as it is now, or null if there is none yet. What is no list is never overwritten, as the specification
     * asks: it may be an image that somebody needs, or a list that a proxy has damaged on its way.
     */
    private @Nullable Index current(ImageReference tag, Repository repository, Digest subject, Deadline deadline)
            throws RegistryException, InterruptedException {
        Throwable damage = null;
        try {
            if (manifests.read(tag, UPDATE, deadline) instanceof Index index) {
                return index;
            }
        } catch (NotFoundException e) {
            return null;
        } catch (ProtocolViolationException e) {
            rethrowUnlessNoList(e);
            damage = e;
        }
        throw new ProtocolViolationException(
                what(repository, subject),
                "the tag " + tag.tagOrDigest()
                        + " would be the list of referrers, but names something else, which is kept; what was pushed is"
                        + " there, so push it again once that tag is deleted or mended",
                damage);
    }

    private static Index with(@Nullable Index list, List<Descriptor> entries, Repository repository, Digest subject)
            throws ProtocolViolationException {
        try {
            return list == null ? Index.of(entries, Map.of()) : list.withManifests(entries);
        } catch (MalformedManifestException e) {
            throw new ProtocolViolationException(
                    what(repository, subject), "the list becomes too large: " + e.getMessage(), e);
        }
    }

    private static FailedRequest what(Repository repository, Digest subject) {
        return Call.on(repository, UPDATE, Optional.of(subject.toString()), "PUT", "", "pull,push")
                .what();
    }

    private static UnavailableException unfinished(Repository repository, Digest subject) {
        return new UnavailableException(
                what(repository, subject),
                "others change the list all the time; what was pushed is there, so push it again to list it",
                null,
                null);
    }
}
