package io.urunner.registry;

import java.io.IOException;

/**
 * A request without content got no answer on a connection that was kept from earlier requests: hosts close idle
 * connections, and may do so while we send. It never leaves the client.
 */
final class StaleConnection extends IOException {
    private final IOException reason;

    StaleConnection(IOException reason) {
        super(reason.getMessage(), reason);
        this.reason = reason;
    }

    IOException reason() {
        return reason;
    }
}
