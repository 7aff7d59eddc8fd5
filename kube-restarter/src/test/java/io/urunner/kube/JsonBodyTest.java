package io.urunner.kube;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import org.junit.jupiter.api.Test;

class JsonBodyTest {
    private static final JsonNode WANTED = JsonSieve.wanted("{'a': 10, 'items': {'n': 10}}");

    private final List<String> told = new ArrayList<>();
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
    void aWatchDeliversEachDocumentRegardlessOfBufferBounds() {
        JsonBody body = JsonBody.watch(WANTED, event -> told.add(event.toString()));
        body.onSubscribe(subscription);
        body.onNext(List.of(bytes("{\"a"), bytes("\":\"one\"}\n{\"a\":2}\n{\"b\":")));
        body.onNext(List.of(bytes("3,\"a\""), bytes(":\"ö"), bytes("\"}"), bytes("\n{")));
        assertThat(told).containsExactly("{\"a\":\"one\"}", "{\"a\":2}", "{\"a\":\"ö\"}");
        assertThat(asked).containsExactly("request", "request", "request");
        body.onComplete();
        assertThat(body.getBody().toCompletableFuture()).isCompleted();
    }

    @Test
    void aListenerThatRejectsADocumentEndsTheWatch() {
        JsonBody body = JsonBody.watch(WANTED, event -> {
            throw new IllegalStateException("refused");
        });
        body.onSubscribe(subscription);
        body.onNext(List.of(bytes("{}\n")));
        assertThat(asked).containsExactly("request", "cancel");
        assertThat(body.getBody().toCompletableFuture())
                .failsWithin(Duration.ZERO)
                .withThrowableOfType(ExecutionException.class)
                .withMessageContaining("refused");
    }

    @Test
    void invalidJsonEndsAWatchAndIsNotAnAnswer() throws Exception {
        JsonBody watch = JsonBody.watch(WANTED, event -> told.add(event.toString()));
        watch.onSubscribe(subscription);
        watch.onNext(List.of(bytes("404 page not found")));
        assertThat(asked).containsExactly("request", "cancel");
        assertThat(told).isEmpty();
        for (String garbage : List.of("", "404 page", "[1]", "{\"a\":1", "]", "\"text\"", "{]", "{\"a\":x1y}")) {
            JsonBody answer = JsonBody.answer(WANTED);
            answer.onSubscribe(subscription);
            answer.onNext(List.of(bytes(garbage)));
            answer.onComplete();
            assertThat(answer.getBody().toCompletableFuture().get().json().isMissingNode())
                    .as(garbage)
                    .isTrue();
        }
    }

    @Test
    void theItemsOfAListAreDeliveredAsTheyArriveAndTheRestAtTheEnd() throws Exception {
        JsonBody body = JsonBody.list(WANTED, item -> told.add(item.toString()));
        body.onSubscribe(subscription);
        body.onNext(List.of(bytes("{\"a\":1,\"items\":[{\"n\":1,\"x\":[{}]},{\"n\":2},7,\"t\",")));
        assertThat(told).containsExactly("{\"n\":1}", "{\"n\":2}");
        body.onNext(List.of(bytes("{}],\"b\":0}")));
        body.onComplete();
        assertThat(told).containsExactly("{\"n\":1}", "{\"n\":2}", "{}");
        assertThat(body.getBody().toCompletableFuture().get().json()).hasToString("{\"a\":1}");
        assertThat(body.getBody().toCompletableFuture().get().bytes())
                .isEqualTo("{\"a\":1,\"items\":[{\"n\":1,\"x\":[{}]},{\"n\":2},7,\"t\",{}],\"b\":0}".length());
    }

    @Test
    void aRequestThatIsCancelledBeforeItStartsIsNotSent() {
        JsonBody body = JsonBody.watch(WANTED, event -> {});
        body.cancel();
        body.onSubscribe(subscription);
        assertThat(asked).containsExactly("cancel");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
