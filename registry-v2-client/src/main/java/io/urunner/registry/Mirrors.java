package io.urunner.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the mirrors of registries, in their order, once each: whatever one of them answers but the content, the next is
 * asked, and finally the registry. Thread-safe.
 */
final class Mirrors {
    private static final Logger LOG = LoggerFactory.getLogger(Mirrors.class);

    /** For how long a mirror that cannot be reached is not asked; without it, each call would wait for it. */
    private static final long PAUSE = TimeUnit.MINUTES.toNanos(1);

    private static final int MOST_REMEMBERED = 1000;
    private static final int MOST_IMAGES = 10_000;

    /** Larger content is verified where it is read. */
    private static final long PEEKED = 1024 * 1024;

    private static final int NOT_MODIFIED = 304;
    private static final Set<Integer> MISSES = Set.of(404, 405, 410, 501);
    private static final Set<Integer> MISSES_OR_UNCHANGED = Set.of(404, 405, 410, 501, NOT_MODIFIED);

    /** By mirror: since when it is not asked, and why. */
    private final LruMap<String, Map.Entry<Long, String>> paused = new LruMap<>(MOST_REMEMBERED);

    /** By registry: the mirror that gave the last answer, or nothing, and why others did not. */
    private final LruMap<String, Map.Entry<String, String>> last;

    /** By image of a registry with mirrors: the same, in words for everybody. */
    private final LruMap<String, Map.Entry<String, String>> images;

    Mirrors() {
        last = new LruMap<>(MOST_REMEMBERED);
        images = new LruMap<>(MOST_IMAGES, LruMap.LONGEST);
    }

    /** For other credentials: that a mirror fails one user says nothing about others, but what answered last is shared. */
    Mirrors(Mirrors origin) {
        last = origin.last;
        images = origin.images;
    }

    /**
     * Asks the mirrors of a call's registry, and finally the registry itself, whose error is the one that counts.
     *
     * @param blob the blob that is asked for, or null for a manifest
     * @return the answer, a success or an expected one; the caller closes it
     */
    Response pull(Caller caller, Call call, @Nullable Descriptor blob, Set<Integer> expected, Deadline deadline)
            throws RegistryException, InterruptedException {
        List<Mirror> mirrors = new ArrayList<>();
        for (Mirror mirror : caller.mirrors(call.registry())) {
            if (mirror.resolves() || call.isByDigest()) {
                mirrors.add(mirror);
            }
        }
        Set<Integer> misses = expected.contains(NOT_MODIFIED) ? MISSES_OR_UNCHANGED : MISSES;
        List<Exception> failures = new ArrayList<>();
        List<String> passedOver = new ArrayList<>();
        String by = "";
        Response answer = null;
        boolean answered = false;
        try {
            for (int i = 0; i < mirrors.size() && answer == null; i++) {
                Deadline share = caller.share(deadline, mirrors.size() - i + 1, call);
                String mirror = mirrors.get(i).toString();
                answer = ask(caller, call, mirrors.get(i), blob, misses, share, failures);
                if (answer == null) {
                    passedOver.add(mirror + " " + brief(failures.get(failures.size() - 1), mirror));
                } else {
                    by = mirror;
                }
            }
            if (answer == null) {
                answer = caller.call(call, expected, deadline);
            }
            answered = true;
            return answer;
        } catch (RegistryException e) {
            answered = !e.isTransient();
            for (Exception failure : failures) {
                e.addSuppressed(failure);
            }
            throw e;
        } finally {
            if (answered) {
                String problems = failures.stream().map(Throwable::getMessage).collect(Collectors.joining("; "));
                last.put(key(call.registry()), Map.entry(by, problems));
                if (blob == null && !mirrors.isEmpty()) {
                    images.put(
                            key(
                                    call.registry(),
                                    call.what().repository(),
                                    call.what().reference()),
                            Map.entry(by, String.join("; ", passedOver)));
                }
            }
        }
    }

    /** The answer of a mirror, or null after adding to the failures why there is none that is used. */
    private @Nullable Response ask(
            Caller caller,
            Call call,
            Mirror mirror,
            @Nullable Descriptor blob,
            Set<Integer> misses,
            Deadline deadline,
            List<Exception> failures)
            throws InterruptedException {
        Map.Entry<Long, String> pause = paused.get(mirror.host());
        if (pause != null && caller.ticks() - pause.getKey() < PAUSE) {
            passOver(caller, call, mirror, new IOException(pause.getValue()), failures);
            return null;
        }
        Heads heads = caller.authorizer().heads;
        Call there = call.at(mirror);
        Call asked = heads.asked(there);
        try {
            Response response = once(caller, asked, misses, deadline);
            String objection;
            try {
                objection = objection(call, blob, response);
            } catch (IOException e) {
                response.close();
                throw e;
            }
            if (objection == null) {
                if (!asked.method().equals(there.method())) {
                    heads.rememberWrong(there);
                }
                paused.remove(mirror.host());
                return response;
            }
            response.close();
            passOver(caller, call, mirror, new IOException("the mirror " + mirror + " " + objection), failures);
        } catch (RegistryException e) {
            passOver(caller, call, mirror, e, failures);
        } catch (IOException e) {
            heads.failed(asked, e, deadline);
            passOver(caller, call, mirror, caller.error(asked, e, mirror.host()), failures);
            if (!(e instanceof TransientFailure)) {
                pause(mirror, call, caller.ticks(), e);
            }
        }
        return null;
    }

    private static void passOver(Caller caller, Call call, Mirror mirror, Exception reason, List<Exception> failures) {
        failures.add(reason);
        caller.observer.mirrorPassedOver(call.registry(), mirror.toString(), String.valueOf(reason.getMessage()));
    }

    private static String key(String registry) {
        return registry.toLowerCase(Locale.ROOT);
    }

    private static String key(String registry, Optional<String> repository, Optional<String> reference) {
        return key(registry) + "/" + repository.orElse("") + "@" + reference.orElse("");
    }

    /** What a mirror did, in words that name neither what was asked for nor a credential. */
    private static String brief(Exception failure, String mirror) {
        if (failure instanceof RegistryException e) {
            return e.status().isPresent()
                    ? "answered " + e.status().getAsInt()
                    : e instanceof UnavailableException ? "cannot be reached" : "gave no answer that is used";
        }
        String words = String.valueOf(failure.getMessage()).replace("the mirror " + mirror + " ", "");
        int details = words.indexOf(": ");
        return details < 0 ? words : words.substring(0, details);
    }

    private static Response once(Caller caller, Call asked, Set<Integer> expected, Deadline deadline)
            throws RegistryException, IOException, InterruptedException {
        try {
            return caller.once(asked, expected, deadline);
        } catch (StaleConnection e) {
            // It says nothing about the mirror.
            return caller.once(asked, expected, deadline);
        }
    }

    private void pause(Mirror mirror, Call call, long now, IOException failure) {
        String reason = "the mirror " + mirror + " cannot be reached, and is not asked for a minute: "
                + Bodies.printable(String.valueOf(failure.getMessage()));
        paused.put(mirror.host(), Map.entry(now, reason));
        LOG.info("{} (for {})", reason, call.registry());
    }

    /** The mirror that gave the last answer for a registry, or nothing, and why others did not. */
    Map.Entry<String, String> lastOf(String registry) {
        Map.Entry<String, String> known = last.get(key(registry));
        return known == null ? Map.entry("", "") : known;
    }

    /** The mirror that gave the last answer for an image, or nothing, and what others did. */
    Map.Entry<String, String> lastOf(ImageReference image) {
        Map.Entry<String, String> known =
                images.get(key(image.registry(), Optional.of(image.repository()), Optional.of(image.tagOrDigest())));
        return known == null ? Map.entry("", "") : known;
    }

    /** Why an answer is not used, or null if it is: a mirror with a wrong address often serves a page. */
    private static @Nullable String objection(Call call, @Nullable Descriptor blob, Response response)
            throws IOException {
        if (response.code() == NOT_MODIFIED) {
            return null;
        } else if (!response.isSuccessful()) {
            return "answered " + response.code();
        } else if (blob != null) {
            return ofBlob(call, blob, response);
        }
        String header = response.header("Docker-Content-Digest", "").strip();
        Digest named;
        try {
            named = call.digest().isPresent()
                    ? Digest.parse(call.digest().get())
                    : header.isEmpty() ? null : Digest.parse(header);
        } catch (IllegalArgumentException e) {
            return "does not name a digest";
        }
        if (response.request().method().equals("HEAD")) {
            boolean says = !header.isEmpty()
                    && !response.header("Content-Type", "").isEmpty()
                    && RateLimitHeaders.isNumber(response.header("Content-Length", ""));
            return says ? null : "does not name type, digest and size";
        }
        if (response.header("Content-Encoding") != null) {
            return null;
        }
        byte[] content = response.peekBody(PEEKED + 1).bytes();
        if (content.length == 0 || content[0] == '<') {
            return "answered with something else than a manifest";
        }
        return named == null || content.length > PEEKED || named.matches(content)
                ? null
                : "answered with content that is not that of " + named;
    }

    /**
     * The same for a blob. A small one is verified before any of it is handed out. Of a larger one only the announced
     * size is known: if its content is wrong, that shows at its end, and the error names the mirror.
     */
    private static @Nullable String ofBlob(Call call, Descriptor blob, Response response) throws IOException {
        if (MediaType.of(response.header("Content-Type", "")).equals("text/html")) {
            return "answered with a page instead of the blob";
        } else if (response.code() == 206 && !BlobStream.isRequested(call, response)) {
            return "answered with another part of the blob";
        } else if (response.code() != 200 || response.header("Content-Encoding") != null) {
            return null;
        }
        long length = response.body().contentLength();
        if (length >= 0 && length != blob.size()) {
            return "answered with " + length + " instead of " + blob.size() + " bytes";
        }
        return blob.size() > PEEKED
                        || blob.digest()
                                .matches(response.peekBody(blob.size() + 1).bytes())
                ? null
                : "answered with content that is not that of " + blob.digest();
    }
}
