package io.urunner.registry.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** skopeo, the witness of what is in registries and files. Thread-safe. */
public final class Skopeo {
    private final Path program;

    private Skopeo(Path program) {
        this.program = program;
    }

    /**
     * Finds it. If it is missing, the calling test is skipped or fails as for {@link Program#require(String, String)}.
     *
     * @return the program
     */
    public static Skopeo require() {
        return new Skopeo(Program.require("skopeo", "Debian's package skopeo"));
    }

    /**
     * Runs it without a policy about signatures, for a minute at most.
     *
     * @param arguments the command and its arguments
     * @return what it printed
     * @throws AssertionError if it fails, with what it said, or does not end
     * @throws IOException if it cannot be started
     * @throws InterruptedException if the thread is interrupted
     */
    public byte[] run(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(program.toString(), "--insecure-policy", "--command-timeout=60s"));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("skopeo", ".out");
        Path errors = Files.createTempFile("skopeo", ".err");
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            if (!process.waitFor(90, TimeUnit.SECONDS)) {
                throw new AssertionError(command + " does not end");
            }
            if (process.exitValue() != 0) {
                throw new AssertionError(command + ": " + Files.readString(errors));
            }
            return Files.readAllBytes(output);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(output);
            Files.deleteIfExists(errors);
        }
    }
}
