package io.urunner.registry.testing;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs that a test needs on the machine. */
public final class Program {
    private Program() {}

    /**
     * Finds a program. If it is missing, the calling test is skipped and says so, or fails if the environment variable
     * {@code CI} is {@code true}: a continuous build must not skip anything silently.
     *
     * @param name the program's file name
     * @param source where people get it, for the message
     * @return its path
     */
    public static Path require(String name, String source) {
        return require(find(name), "the program " + name + " is not on the PATH (" + source + ")");
    }

    /**
     * Finds a folder that an environment variable names. If it is missing, the calling test is skipped or fails as for
     * {@link #require(String, String)}.
     *
     * @param variable the variable's name
     * @param content what is in the folder, for the message
     * @return its path
     */
    public static Path requireFolder(String variable, String content) {
        Optional<Path> folder =
                Optional.ofNullable(System.getenv(variable)).map(Path::of).filter(Files::isDirectory);
        return require(folder, variable + " names no folder with " + content);
    }

    private static Path require(Optional<Path> found, String reason) {
        if (found.isEmpty() && "true".equals(System.getenv("CI"))) {
            Assertions.fail(reason);
        }
        Assumptions.assumeTrue(found.isPresent(), reason);
        return found.orElseThrow();
    }

    private static Optional<Path> find(String name) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.of(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
