package io.urunner.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Which registries answer {@code HEAD} wrongly although {@code GET} works, as some proxies and Nexus do. They get {@code
 * GET} at once for a while; then {@code HEAD} is tried again, because it is cheaper. Thread-safe.
 */
final class Heads {
    private static final int MOST = 1000;
    private static final long REMEMBERED = Duration.ofMinutes(10).toNanos();

    /** What a wrong answer to {@code HEAD} may be. 401 is a challenge, and 5xx are worth another attempt. */
    private static final Set<Integer> WRONG = Set.of(400, 403, 404, 405, 410, 501);

    private final LongSupplier ticker;
    private final LruMap<String, Long> wrong = new LruMap<>(MOST);

    /** Where the last {@code HEAD} got 500, which an overload and a proxy answer alike. */
    private final LruMap<String, Long> suspect = new LruMap<>(MOST);

    Heads(LongSupplier ticker) {
        this.ticker = ticker;
    }

    /** The request to send for a call: as it is, or {@code GET} where {@code HEAD} is known to fail. */
    Call asked(Call call) {
        if (!isHead(call)) {
            return call;
        }
        return knows(call) || isRecent(suspect.remove(key(call))) ? call.insteadOfHead() : call;
    }

    boolean knows(Call head) {
        return isRecent(wrong.get(key(head)));
    }

    private boolean isRecent(@Nullable Long since) {
        return since != null && ticker.getAsLong() - since < REMEMBERED;
    }

    /** Whether a status answers a {@code HEAD}, and {@code GET} may get another one without costing quota. */
    boolean mayBeWrong(Call call, int status) {
        return WRONG.contains(status) && isHead(call) && !Repository.isDockerHub(call.registry());
    }

    /** Notes a failure: after 500, the next attempt or call is {@code GET}, so that nothing is sent in addition. */
    void failed(Call call, IOException failure) {
        if (failure instanceof TransientFailure answered
                && answered.status() == 500
                && isHead(call)
                && !Repository.isDockerHub(call.registry())) {
            suspect.put(key(call), ticker.getAsLong());
        }
    }

    /** Remembers that {@code HEAD} failed where {@code GET} works. */
    void remember(Call head) {
        wrong.put(key(head), ticker.getAsLong());
    }

    private static boolean isHead(Call call) {
        return call.method().equals("HEAD");
    }

    /** A registry may keep manifests and blobs in different places. */
    private static String key(Call call) {
        return call.registry() + (call.isAboutBlob() ? " blobs" : " manifests");
    }
}
