package io.urunner.registry;

import java.io.IOException;

/** An answer that violates the protocol; another request would not help. It never leaves the client. */
final class Violation extends IOException {
    Violation(String reason) {
        super(reason);
    }
}
