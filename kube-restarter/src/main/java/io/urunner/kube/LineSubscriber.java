package io.urunner.kube;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Cuts the body of a watch into lines, one object each, as it arrives. */
final class LineSubscriber implements HttpResponse.BodySubscriber<Void> {
    private final Consumer<byte[]> consumer;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private ByteArrayOutputStream line = new ByteArrayOutputStream();
    private Flow.@Nullable Subscription subscription;
    private boolean cancelled;

    LineSubscriber(Consumer<byte[]> consumer) {
        this.consumer = consumer;
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
    public CompletionStage<Void> getBody() {
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
            buffers.forEach(this::cut);
        } catch (RuntimeException e) {
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

    private void cut(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                line.write(bytes, start, i - start);
                byte[] whole = line.toByteArray();
                // A new one: the array of one large object would stay for as long as the watch does.
                line = new ByteArrayOutputStream(0);
                start = i + 1;
                consumer.accept(whole);
            }
        }
        line.write(bytes, start, bytes.length - start);
    }

    @Override
    public void onError(Throwable error) {
        done.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
        done.complete(null);
    }
}
