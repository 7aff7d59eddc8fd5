package io.urunner.registry;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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

    /** Larger manifests are verified where they are read. */
    private static final long PEEKED = 1024 * 1024;

    private static final int NOT_MODIFIED = 304;
    private static final Set<Integer> MISSES = Set.of(404, 405, 410, 501);
    private static final Set<Integer> MISSES_OR_UNCHANGED = Set.of(404, 405, 410, 501, NOT_MODIFIED);

    private final LruMap<String, Long> pausedAt = new LruMap<>(MOST_REMEMBERED);
    private final LruMap<String, String> answered = new LruMap<>(MOST_REMEMBERED);

    /**
     * Asks the mirrors of a call's registry.
     *
     * @param failures gets the reasons of those that did not answer
     * @return the answer, a success or an expected 304, which the caller closes; null if none has one
     */
    @Nullable Response ask(Caller caller, Call call, Set<Integer> expected, Deadline deadline, List<Exception> failures)
            throws InterruptedException {
        List<Mirror> mirrors = new ArrayList<>(caller.mirrors(call.registry()));
        mirrors.removeIf(mirror -> !mirror.resolves() && !call.isByDigest());
        for (int i = 0; i < mirrors.size(); i++) {
            Mirror mirror = mirrors.get(i);
            Long since = pausedAt.get(mirror.host());
            if (since != null && caller.ticks() - since < PAUSE) {
                continue;
            }
            Call asked = caller.authorizer().transport.heads().asked(call.at(mirror));
            try {
                Response response = once(
                        caller,
                        asked,
                        expected.contains(NOT_MODIFIED) ? MISSES_OR_UNCHANGED : MISSES,
                        caller.share(deadline, mirrors.size() - i + 1, call));
                String objection;
                try {
                    objection = objection(call, response);
                } catch (IOException e) {
                    response.close();
                    throw e;
                }
                if (objection == null) {
                    pausedAt.remove(mirror.host());
                    answered.put(call.registry().toLowerCase(Locale.ROOT), mirror.toString());
                    return response;
                }
                response.close();
                failures.add(new IOException("the mirror " + mirror + " " + objection));
            } catch (RegistryException e) {
                failures.add(e);
            } catch (IOException e) {
                failures.add(caller.error(asked, e, mirror.host()));
                if (!(e instanceof TransientFailure)) {
                    pause(mirror, call, caller.ticks(), e);
                }
            }
        }
        return null;
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

    private void pause(Mirror mirror, Call call, long now, IOException reason) {
        pausedAt.put(mirror.host(), now);
        LOG.info(
                "the mirror {} of {} cannot be reached, and is not asked for a minute: {}",
                mirror,
                call.registry(),
                Bodies.printable(String.valueOf(reason.getMessage())));
    }

    /** Records that the registry itself answered. */
    void answeredItself(Call call) {
        answered.remove(call.registry().toLowerCase(Locale.ROOT));
    }

    /** The mirror that gave the last answer for a registry. */
    Optional<String> answeredLast(String registry) {
        return Optional.ofNullable(answered.get(registry.toLowerCase(Locale.ROOT)));
    }

    /** Why an answer is not used, or null if it is: a mirror with a wrong address often serves a page. */
    private static @Nullable String objection(Call call, Response response) throws IOException {
        if (response.code() == NOT_MODIFIED) {
            return null;
        } else if (!response.isSuccessful()) {
            return "answered " + response.code();
        } else if (call.isOfBlob()) {
            return MediaType.of(response.header("Content-Type", "")).equals("text/html")
                    ? "answered with a page instead of the blob"
                    : null;
        }
        String header = response.header("Docker-Content-Digest");
        Digest named;
        try {
            named = call.digest().isPresent()
                    ? Digest.parse(call.digest().get())
                    : header == null ? null : Digest.parse(header.strip());
        } catch (IllegalArgumentException e) {
            return "does not name a digest";
        }
        if (response.request().method().equals("HEAD")) {
            boolean says = header != null
                    && !response.header("Content-Type", "").isEmpty()
                    && RateLimitHeaders.isNumber(response.header("Content-Length", ""));
            return says ? null : "does not name type, digest and size";
        }
        if (response.header("Content-Encoding") != null) {
            return null;
        }
        byte[] content = response.peekBody(PEEKED).bytes();
        if (content.length == 0 || content[0] == '<') {
            return "answered with something else than a manifest";
        }
        return named == null || content.length >= PEEKED || named.matches(content)
                ? null
                : "answered with content that is not that of " + named;
    }
}
