package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Sends a host every kind of request; no answer is usable. Exits with success if it survives them. */
final class SmallHeapVictim {
    static final int THREADS = 4;

    private SmallHeapVictim() {}

    public static void main(String[] arguments) throws InterruptedException {
        try (RegistryClient client = RegistryClient.builder()
                .defaults(
                        Boolean.parseBoolean(arguments[1])
                                ? HostOptions.DEFAULTS.withInsecureTls()
                                : HostOptions.DEFAULTS.withPlainHttp())
                .attempts(1)
                .build()) {
            for (String attack : List.of(arguments).subList(2, arguments.length)) {
                Repository repository = new Repository(arguments[0], attack);
                int read = allAtOnce(() -> read(client, repository));
                System.out.println(attack + ": " + read + " times read");
            }
        }
    }

    private static int allAtOnce(Runnable task) throws InterruptedException {
        AtomicInteger done = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(THREADS);
        for (int i = 0; i < THREADS; i++) {
            new Thread(() -> {
                        try {
                            task.run();
                            done.incrementAndGet();
                        } finally {
                            over.countDown();
                        }
                    })
                    .start();
        }
        over.await();
        return done.get();
    }

    private static void read(RegistryClient client, Repository repository) {
        Descriptor blob = new Descriptor(MediaType.OCI_CONFIG, Digest.of(new byte[0]), ManifestOrIndex.MAX_SIZE);
        try {
            refused(() -> client.resolve(repository.tag("latest")));
            refused(() -> client.manifest(repository.tag("latest")));
            refused(() -> client.manifest(repository.tag("latest"), Platform.LINUX_AMD64));
            refused(() -> client.tags(repository).all());
            refused(() -> client.referrers(repository, blob.digest(), Optional.empty())
                    .all());
            refused(() -> {
                try (InputStream content = client.blob(repository, blob)) {
                    return content.transferTo(OutputStream.nullOutputStream());
                }
            });
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private interface Question {
        Object ask() throws RegistryException, IOException, InterruptedException;
    }

    private static void refused(Question question) throws InterruptedException {
        try {
            question.ask();
        } catch (RegistryException | IOException e) {
            if (e.getMessage() != null && e.getMessage().length() > 3000) {
                throw new UncheckedIOException(new IOException("a message without bounds", e));
            }
        }
    }
}
