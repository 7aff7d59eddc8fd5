package io.urunner.kube.testing;

import java.nio.file.Path;
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
        String value = System.getenv(variable);
        if (value == null || value.isEmpty()) {
            throw missing(variable + " names no " + what);
        }
        return Path.of(value);
    }
}
