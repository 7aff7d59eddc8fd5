package io.urunner.kube.testing;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** What a test needs and this machine may lack. */
public final class Requirement {
    private Requirement() {}

    /** Skips the test with the reason; fails it if the environment variable CI is true. */
    public static RuntimeException missing(String reason) {
        if ("true".equals(System.getenv("CI"))) {
            Assertions.fail(reason + " (and CI=true: nothing may be skipped)");
        }
        Assumptions.abort(reason);
        return new IllegalStateException(reason);
    }

    /** The path that an environment variable names. Without it the test is skipped; in CI it fails. */
    public static Path path(String variable, String what) {
        return optionalPath(variable).orElseThrow(() -> missing(variable + " names no " + what));
    }

    /**
     * The path that an environment variable names, if any. In the second of two JVMs that run tests at the same time, the
     * variable with {@code _2} counts: each has a control plane of its own.
     */
    public static Optional<Path> optionalPath(String variable) {
        String own = System.getenv(variable + System.getProperty("urunner.test.variables", ""));
        return Optional.ofNullable(own == null ? System.getenv(variable) : own)
                .filter(value -> !value.isEmpty())
                .map(Path::of);
    }
}
