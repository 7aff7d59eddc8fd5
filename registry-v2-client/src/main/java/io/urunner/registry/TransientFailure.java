package io.urunner.registry;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** An answer that may be another one later (408, 429, 5xx). It never leaves the client. */
final class TransientFailure extends IOException {
    private final transient Optional<Duration> retryAfter;
    private final transient List<OciError> errors;
    private final int status;

    TransientFailure(String host, int status, List<OciError> errors, Optional<Duration> retryAfter) {
        super(host + " answered " + status);
        this.status = status;
        this.errors = errors;
        this.retryAfter = retryAfter;
    }

    int status() {
        return status;
    }

    List<OciError> errors() {
        return errors;
    }

    Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
