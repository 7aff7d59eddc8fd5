package io.urunner.registry;

import io.urunner.registry.testing.DockerRegistry;
import io.urunner.registry.testing.Program;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares {@link RegistryClient#resolve} in the steady state with ApacheBench ({@code ab -k -i}) on a real registry,
 * with the same number of connections, in turns. Run its {@code main}; it prints the rates and their ratio.
 */
public final class ResolveBenchmark {
    private static final Pattern RATE = Pattern.compile("Requests per second:\\s+([0-9.]+)");

    private static final String PATH = "/v2/team/app/manifests/latest";

    private ResolveBenchmark() {}

    /**
     * Runs it.
     *
     * @param arguments connections (16), requests per round (8000), rounds (5)
     */
    public static void main(String[] arguments) throws Exception {
        int connections = argument(arguments, 0, 16);
        int requests = argument(arguments, 1, 8000);
        int rounds = argument(arguments, 2, 5);
        String ab = Program.require("ab", "Debian's package apache2-utils").toString();
        ExecutorService threads = Executors.newFixedThreadPool(connections);
        try (DockerRegistry registry = DockerRegistry.start();
                RegistryClient client = RegistryClient.builder()
                        .defaults(HostOptions.DEFAULTS.withConcurrency(connections))
                        .build()) {
            registry.push("team/app", "latest", "one");
            ImageReference image = ImageReference.parse(registry.host() + "/team/app");
            ours(client, image, threads, connections, requests);
            List<Double> ratios = new ArrayList<>();
            long resolves = requests / connections * connections * (long) (rounds + 1);
            for (int round = 0; round < rounds; round++) {
                // They take turns in coming second, when the registry is warmer.
                double first = round % 2 == 0 ? theirs(ab, registry, connections, requests) : 0;
                double ours = ours(client, image, threads, connections, requests);
                double theirs = first > 0 ? first : theirs(ab, registry, connections, requests);
                ratios.add(ours / theirs);
                System.out.printf("ab %.0f/s, resolve %.0f/s, ratio %.2f%n", theirs, ours, ours / theirs);
            }
            double[] sorted =
                    ratios.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            System.out.printf("median ratio %.2f of %s%n", sorted[sorted.length / 2], Arrays.toString(sorted));
            long asked = registry.count("HEAD", PATH) - (long) requests * rounds;
            System.out.printf("%d resolves, of which the registry's log shows %d requests%n", resolves, asked);
        } finally {
            threads.shutdownNow();
        }
    }

    private static int argument(String[] arguments, int index, int otherwise) {
        return arguments.length > index ? Integer.parseInt(arguments[index]) : otherwise;
    }

    private static double ours(
            RegistryClient client, ImageReference image, ExecutorService threads, int connections, int requests)
            throws Exception {
        long started = System.nanoTime();
        List<Future<?>> results = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            results.add(threads.submit(() -> {
                for (int n = 0; n < requests / connections; n++) {
                    client.resolve(image);
                }
                return null;
            }));
        }
        for (Future<?> result : results) {
            result.get();
        }
        return requests / ((System.nanoTime() - started) / 1e9);
    }

    private static double theirs(String ab, DockerRegistry registry, int connections, int requests)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        ab,
                        "-q",
                        "-k",
                        "-i",
                        "-c",
                        "" + connections,
                        "-n",
                        "" + requests,
                        "-H",
                        "Accept: " + String.join(", ", MediaType.MANIFESTS),
                        registry.url() + PATH)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        Matcher matcher = RATE.matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException(output);
        }
        return Double.parseDouble(matcher.group(1));
    }
}
