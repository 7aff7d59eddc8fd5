package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

class LineSubscriberTest {
    private final List<String> lines = new ArrayList<>();
    private final List<String> asked = new ArrayList<>();

    private final Flow.Subscription subscription = new Flow.Subscription() {
        @Override
        public void request(long n) {
            asked.add("request");
        }

        @Override
        public void cancel() {
            asked.add("cancel");
        }
    };

    @Test
    void linesAreCutWhereverTheBuffersEnd() {
        LineSubscriber subscriber = new LineSubscriber(line -> lines.add(new String(line, StandardCharsets.UTF_8)));
        subscriber.onSubscribe(subscription);
        subscriber.onNext(List.of(bytes("on"), bytes("e\ntwo\nth")));
        subscriber.onNext(List.of(bytes("ree"), bytes("\n"), bytes("half")));
        assertThat(lines).containsExactly("one", "two", "three");
        assertThat(asked).containsExactly("request", "request", "request");
        subscriber.onComplete();
        assertThat(subscriber.getBody().toCompletableFuture()).isCompleted();
    }

    @Test
    void aConsumerThatRefusesALineEndsTheWatch() {
        LineSubscriber subscriber = new LineSubscriber(line -> {
            throw new IllegalStateException("garbage");
        });
        subscriber.onSubscribe(subscription);
        subscriber.onNext(List.of(bytes("x\n")));
        assertThat(asked).containsExactly("request", "cancel");
        assertThat(subscriber.getBody().toCompletableFuture())
                .failsWithin(Duration.ZERO)
                .withThrowableOfType(ExecutionException.class)
                .withMessageContaining("garbage");
    }

    @Test
    void cancelledBeforeItBeginsItAsksForNothing() {
        LineSubscriber subscriber = new LineSubscriber(line -> {});
        subscriber.cancel();
        subscriber.onSubscribe(subscription);
        assertThat(asked).containsExactly("cancel");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
