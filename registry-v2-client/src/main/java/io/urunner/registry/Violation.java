package io.urunner.registry;

import java.io.IOException;

/** An answer that breaks the protocol; asking again would not help. It never leaves the client. */
final class Violation extends IOException {
    Violation(String reason) {
        super(reason);
    }
}
