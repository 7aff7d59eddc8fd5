package io.urunner.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.function.LongSupplier;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Which answers to {@code HEAD} are believed. Some proxies and registries, Nexus among them, fail on {@code HEAD} where
 * {@code GET} works, and storages refuse {@code HEAD} to a URL that is signed for {@code GET}. So a {@code HEAD} that
 * fails is asked again with {@code GET}, of a blob for one byte, whatever it is for. The body of that answer also says
 * why something failed.
 *
 * <p>What came of it is remembered for ten minutes, for each registry, and for manifests and blobs apart, because they
 * may be kept in different places:
 *
 * <ul>
 *   <li>If {@code GET} worked, {@code GET} is sent at once. Then {@code HEAD} is tried again, because it is cheaper.
 *   <li>If a {@code HEAD} succeeded, or both said 404, then 404 is believed where it is an answer and no error. So
 *       whoever looks for many blobs before a push pays for one {@code GET}, or one for each thread. Of a manifest the
 *       two must also announce equally long bodies, as the same handler does (RFC 9110, section 9.3.2): to miss a blob
 *       costs a transfer, but to miss a manifest is a wrong answer.
 * </ul>
 *
 * <p>Where a 404 for a manifest is not believed yet and {@code GET} fails for now, the failure counts, and how long it
 * asks to wait: that the manifest is missing would be final. A blob counts as missing.
 *
 * <p>After 500 the next request is {@code GET}: overloads and proxies answer so alike. 502 to 504 are what a proxy says
 * while a registry restarts. They are tried again with {@code HEAD}, and only the last attempt is {@code GET}; that it
 * worked is not remembered, because the restart may be over by then. Docker Hub, where {@code GET} costs quota, is
 * always believed.
 *
 * <p>Other clients believe every {@code HEAD}, except that containerd asks with {@code GET} after 405 or if something is
 * not said, for manifests only, and each time. Thread-safe.
 */
final class Heads {
    private static final int MOST_REMEMBERED = 1000;
    private static final long REMEMBERED = Duration.ofMinutes(10).toNanos();

    /** What may be about what is asked for as well as about {@code HEAD}. */
    private static final Set<Integer> PLAUSIBLE = Set.of(401, 403, 404, 410);

    /** What is about {@code HEAD}, if anything. 5xx are worth another attempt. */
    private static final Set<Integer> IMPLAUSIBLE = Set.of(400, 405, 406, 415, 422, 501);

    private final LongSupplier ticker;

    /** Since when {@code HEAD} is known to fail, or to say too little. */
    private final LruMap<String, Long> wrong = new LruMap<>(MOST_REMEMBERED);

    /** Since when 404 is believed. */
    private final LruMap<String, Long> right = new LruMap<>(MOST_REMEMBERED);

    /** Where the last {@code HEAD} got 500. */
    private final LruMap<String, Long> suspect = new LruMap<>(MOST_REMEMBERED);

    Heads(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /** The request to send for a call: as it is, or {@code GET} where {@code HEAD} is known to fail. */
    Call asked(Call call) {
        return mayBeWrong(call) && (isWrong(call) || isRecent(suspect.remove(key(call)))) ? call.insteadOfHead() : call;
    }

    /**
     * Whether {@code GET} is to be asked, too.
     *
     * @param expected the statuses that are not errors
     */
    boolean isDoubtful(Call call, Response answer, Set<Integer> expected) {
        int status = answer.code();
        if (!mayBeWrong(call)) {
            return false;
        } else if (status == 404) {
            return !expected.contains(status) || !isRecent(right.get(key(call)));
        } else if (status == 401 || status == 403) {
            return Challenge.parse(answer.headers("WWW-Authenticate")).isEmpty();
        }
        return PLAUSIBLE.contains(status) || IMPLAUSIBLE.contains(status);
    }

    /** Notes what shows that 404 is believed: an answer to {@code HEAD} and, if it was asked, that to {@code GET}. */
    void note(Call call, Response head, @Nullable Response get) {
        String length = head.header("Content-Length");
        boolean agree = get != null
                && head.code() == 404
                && get.code() == 404
                && (call.isAboutBlob() || (length != null && length.equals(get.header("Content-Length"))));
        if (mayBeWrong(call) && (agree || head.isSuccessful())) {
            right.put(key(call), ticker.getAsLong());
        }
    }

    /** Whether a doubtful {@code HEAD} says enough by itself if {@code GET} fails for now. */
    boolean suffices(Call call, Response head) {
        int status = head.code();
        return PLAUSIBLE.contains(status) && (call.isAboutBlob() || status < 404 || isRecent(right.get(key(call))));
    }

    /** Whether a {@code GET} in place of {@code HEAD} found something. An empty blob does not have the one byte. */
    static boolean works(Response get) {
        return get.isSuccessful() || get.code() == 304 || get.code() == 416;
    }

    /** Whether the answer to {@code GET} counts, and not that to the doubtful {@code HEAD}. */
    boolean outweighs(Response get, Call call, Response head) {
        int status = get.code();
        // Where HEAD does not reach what checks credentials, only GET says which are demanded.
        return works(get)
                || status == 404
                || status == head.code()
                || !(RetryPolicy.isTransient(status) ? suffices(call, head) : PLAUSIBLE.contains(head.code()))
                || (status == 401
                        && !Challenge.parse(get.headers("WWW-Authenticate")).isEmpty());
    }

    /** Notes a failure: after 500, the next attempt or call is {@code GET}, so that nothing is sent in addition. */
    void failed(Call call, IOException failure, Deadline deadline) {
        if (ofHead(call, failure, deadline) == 500) {
            suspect.put(key(call), ticker.getAsLong());
        }
    }

    /** Whether the last attempt at a call is {@code GET}, after a failure that may be that of a proxy. */
    static boolean endsWithGet(Call call, IOException failure, Deadline deadline) {
        return ofHead(call, failure, deadline) > 500;
    }

    /** The status of the registry's answer to {@code HEAD}, or 0 if it gave none: a token server may have failed. */
    private static int ofHead(Call call, IOException failure, Deadline deadline) {
        return failure instanceof TransientFailure answered
                        && mayBeWrong(call)
                        && deadline.sent().equals("HEAD")
                ? answered.status()
                : 0;
    }

    /** Remembers that {@code HEAD} fails where {@code GET} works. */
    void rememberWrong(Call head) {
        if (!Repository.isDockerHub(head.registry()) && !isWrong(head)) {
            wrong.put(key(head), ticker.getAsLong());
        }
    }

    private boolean isWrong(Call head) {
        return isRecent(wrong.get(key(head)));
    }

    private boolean isRecent(@Nullable Long since) {
        return since != null && ticker.getAsLong() - since < REMEMBERED;
    }

    private static boolean mayBeWrong(Call call) {
        return call.method().equals("HEAD") && !Repository.isDockerHub(call.registry());
    }

    private static String key(Call call) {
        return call.registry() + (call.isAboutBlob() ? " blobs" : " manifests");
    }
}
