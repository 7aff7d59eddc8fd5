package io.urunner.registry.copy;

import io.urunner.registry.Descriptor;
import io.urunner.registry.ImageReference;
import io.urunner.registry.Manifest;
import io.urunner.registry.MediaType;
import io.urunner.registry.RegistryClient;
import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Program;
import java.io.ByteArrayInputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Compares {@link Copy} with {@code skopeo copy}: the same image from one registry to an empty one on this machine, in turns.
 * Run its {@code main}; it prints the times, their ratio, and the largest heap.
 */
public final class CopyBenchmark {
    private static final int JOBS = 6; // as skopeo has

    private CopyBenchmark() {}

    /**
     * Runs it.
     *
     * @param arguments blobs (64), MiB of each (16), rounds (3)
     */
    public static void main(String[] arguments) throws Exception {
        int blobs = argument(arguments, 0, 64);
        int size = argument(arguments, 1, 16) * 1024 * 1024;
        int rounds = argument(arguments, 2, 3);
        String skopeo = Program.require("skopeo", "Debian's package skopeo").toString();
        ExecutorService threads = Executors.newFixedThreadPool(JOBS);
        try (DockerRegistry source = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder().build()) {
            ImageReference from = ImageReference.parse(source.host() + "/team/app:v1");
            fill(client, from, blobs, size);
            List<Double> ratios = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                double first = round % 2 == 0 ? theirs(skopeo, from) : 0;
                double ours = ours(client, from, threads);
                double theirs = first > 0 ? first : theirs(skopeo, from);
                ratios.add(ours / theirs);
                System.out.printf("skopeo %.1f s, copy %.1f s, ratio %.2f%n", theirs, ours, ours / theirs);
            }
            double[] sorted =
                    ratios.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            System.out.printf("median ratio %.2f of %s%n", sorted[sorted.length / 2], Arrays.toString(sorted));
            System.out.printf("largest heap %.0f MB%n", peak() / 1e6);
        } finally {
            threads.shutdownNow();
        }
    }

    private static int argument(String[] arguments, int index, int otherwise) {
        return arguments.length > index ? Integer.parseInt(arguments[index]) : otherwise;
    }

    private static void fill(RegistryClient client, ImageReference image, int blobs, int size) throws Exception {
        Random random = new Random(42);
        byte[] content = new byte[size];
        List<Descriptor> layers = new ArrayList<>();
        for (int i = 0; i < blobs; i++) {
            random.nextBytes(content);
            layers.add(push(client, image, MediaType.OCI_LAYER, content));
        }
        byte[] config = "{\"architecture\":\"amd64\",\"os\":\"linux\"}".getBytes(StandardCharsets.UTF_8);
        client.pushManifest(image, Manifest.of(push(client, image, MediaType.OCI_CONFIG, config), layers, Map.of()));
    }

    private static Descriptor push(RegistryClient client, ImageReference image, String type, byte[] content)
            throws Exception {
        Descriptor blob = Descriptor.of(type, content);
        client.pushBlob(image.toRepository(), blob, () -> new ByteArrayInputStream(content));
        return blob;
    }

    private static double ours(RegistryClient client, ImageReference from, ExecutorService threads) throws Exception {
        System.gc();
        pools().forEach(MemoryPoolMXBean::resetPeakUsage);
        try (DockerRegistry target = DockerRegistry.start()) {
            ImageReference to = ImageReference.parse(target.host() + "/team/app:v1");
            long started = System.nanoTime();
            Copy.from(client, from).executor(threads, JOBS).to(client, to).run();
            return (System.nanoTime() - started) / 1e9;
        }
    }

    private static double theirs(String skopeo, ImageReference from) throws Exception {
        try (DockerRegistry target = DockerRegistry.start()) {
            long started = System.nanoTime();
            Process process = new ProcessBuilder(
                            skopeo,
                            "--insecure-policy",
                            "copy",
                            "--preserve-digests",
                            "--src-tls-verify=false",
                            "--dest-tls-verify=false",
                            "docker://" + from,
                            "docker://" + target.host() + "/team/app:v1")
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() != 0) {
                throw new IllegalStateException("skopeo failed");
            }
            return (System.nanoTime() - started) / 1e9;
        }
    }

    private static List<MemoryPoolMXBean> pools() {
        return ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .toList();
    }

    private static long peak() {
        return pools().stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum();
    }
}
