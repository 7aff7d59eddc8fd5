package io.urunner.registry;

import io.urunner.registry.testing.Program;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;

/** Artipie's registry in a process of its own, on a free loopback port, in memory and without accounts. */
final class ArtipieProcess implements AutoCloseable {
    private final Process process;
    private final String host;

    /** Starts it and waits for it; without it, the calling test is skipped, or fails where nothing may be skipped. */
    ArtipieProcess() throws IOException {
        Path libraries = Program.requireFolder("URUNNER_TEST_ARTIPIE", "the libraries of Artipie");
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-cp",
                        libraries + "/*",
                        Path.of("src", "test", "artipie", "ArtipieRegistry.java")
                                .toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader out = process.inputReader();
        String line = out.readLine();
        while (line != null && !line.startsWith("port ")) {
            line = out.readLine();
        }
        if (line == null) {
            throw new IOException("Artipie ended before it listened");
        }
        host = "localhost:" + line.substring("port ".length());
    }

    String host() {
        return host;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
