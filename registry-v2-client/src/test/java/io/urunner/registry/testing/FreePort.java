package io.urunner.registry.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for servers that must be told theirs. */
public final class FreePort {
    /** Below the ports that systems give to connections, one of which could take it before the server does. */
    private static final int FIRST = 20_000;

    private static final int END = 30_000;

    private FreePort() {}

    /** A port that nobody listens on, another one each time as good as always. */
    public static int find() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            try (ServerSocket free = new ServerSocket(port)) {
                return free.getLocalPort();
            } catch (IOException e) {
                // Somebody listens there: the next one.
            }
        }
    }
}
