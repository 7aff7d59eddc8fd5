package io.urunner.kube;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The body of a response. Keeps the wanted fields as they arrive. */
final class JsonBody implements HttpResponse.BodySubscriber<JsonBody.Kept> {
    /** For a body that is ignored. */
    static final Kept NOTHING = new Kept(MissingNode.getInstance(), 0);

    private final JsonSieve sieve;
    /** Whether a body that is not JSON is an error rather than no document. */
    private final boolean strict;

    private final CompletableFuture<Kept> done = new CompletableFuture<>();
    private JsonNode last = MissingNode.getInstance();
    private long bytes;
    private boolean garbage;
    private Flow.@Nullable Subscription subscription;
    private boolean cancelled;

    /**
     * What is kept.
     *
     * @param json the document, missing if there was none
     * @param bytes how long the body was
     */
    record Kept(JsonNode json, long bytes) {}

    private JsonBody(boolean strict, Function<JsonBody, JsonSieve> sieve) {
        this.strict = strict;
        this.sieve = sieve.apply(this);
    }

    /** The body of a watch: one document after another, each passed on as it arrives. */
    static JsonBody watch(JsonNode wanted, Consumer<JsonNode> document) {
        return new JsonBody(true, body -> new JsonSieve(wanted, document));
    }

    /** A body with one document, or with none if it is not JSON. */
    static JsonBody answer(JsonNode wanted) {
        return new JsonBody(false, body -> new JsonSieve(wanted, document -> body.last = document));
    }

    /** A body with a list, whose items are passed on as they arrive. */
    static JsonBody list(JsonNode wanted, Consumer<JsonNode> item) {
        return new JsonBody(
                false,
                body -> new JsonSieve(wanted, "items", document -> {
                    if (body.sieve.isBetweenDocuments()) {
                        body.last = document;
                    } else {
                        item.accept(document);
                    }
                }));
    }

    synchronized boolean cancelled() {
        return cancelled;
    }

    void cancel() {
        end(new CancellationException("the watch was cancelled"));
    }

    private void end(Throwable why) {
        Flow.Subscription running;
        synchronized (this) {
            cancelled = true;
            running = subscription;
        }
        done.completeExceptionally(why);
        if (running != null) {
            running.cancel();
        }
    }

    @Override
    public CompletionStage<Kept> getBody() {
        return done;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        synchronized (this) {
            this.subscription = subscription;
            if (!cancelled) {
                subscription.request(1);
                return;
            }
        }
        subscription.cancel();
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        try {
            for (ByteBuffer buffer : buffers) {
                bytes += buffer.remaining();
                take(buffer);
            }
        } catch (RuntimeException | Error | IOException e) {
            end(e);
            return;
        }
        Flow.Subscription running;
        synchronized (this) {
            running = cancelled ? null : subscription;
        }
        if (running != null) {
            running.request(1);
        }
    }

    private void take(ByteBuffer buffer) throws IOException {
        if (garbage) {
            return;
        }
        try {
            sieve.feed(buffer);
        } catch (IOException e) {
            if (strict) {
                throw e;
            }
            garbage = true;
        }
    }

    @Override
    public void onError(Throwable error) {
        done.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
        done.complete(new Kept(garbage ? MissingNode.getInstance() : last, bytes));
    }
}
