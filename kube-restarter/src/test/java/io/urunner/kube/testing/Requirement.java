package io.urunner.kube.testing;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** What a test needs and this machine may not have. */
final class Requirement {
    private Requirement() {}

    /** Skips the test with the reason; where the environment variable CI is true, fails it. */
    static RuntimeException missing(String reason) {
        if ("true".equals(System.getenv("CI"))) {
            Assertions.fail(reason + " (and CI=true: nothing may be skipped)");
        }
        Assumptions.abort(reason);
        return new IllegalStateException(reason);
    }
}
