package io.urunner.registry.examples;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.RegistryClient;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Prints what several tags point to, asking for all of them at once and for no longer than ten seconds: {@code
 * ResolveAsync nginx:1.27 redis:7}. The client blocks and has no threads: whoever wants futures chooses the threads.
 */
final class ResolveAsync {
    private ResolveAsync() {}

    public static void main(String... images) throws InterruptedException {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        Map<String, CompletableFuture<Descriptor>> answers = new TreeMap<>();
        try (RegistryClient client = RegistryClient.builder().build()) {
            for (String image : images) {
                ImageReference reference = ImageReference.parse(image);
                answers.put(
                        image, call(threads, () -> client.resolve(reference)).orTimeout(10, TimeUnit.SECONDS));
            }
            answers.forEach((image, answer) -> System.out.println(image + " is "
                    + answer.handle((found, failure) -> failure == null
                                    ? found.digest().toString()
                                    : "not resolved: " + failure.getMessage())
                            .join()));
        } finally {
            threads.shutdownNow();
        }
    }

    /**
     * Makes a call of the client in another thread. Cancelling the future, or its timeout, interrupts the thread: then
     * the call ends, its connection is closed, and nothing is retried.
     */
    static <T> CompletableFuture<T> call(ExecutorService threads, Callable<T> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Future<?> task = threads.submit(() -> {
            try {
                result.complete(call.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        result.whenComplete((value, failure) -> {
            if (failure instanceof CancellationException || failure instanceof TimeoutException) {
                task.cancel(true);
            }
        });
        return result;
    }
}
