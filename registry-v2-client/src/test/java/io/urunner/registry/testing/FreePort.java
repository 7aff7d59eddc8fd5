package io.urunner.registry.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Ports for servers that must be told which one to use. */
public final class FreePort {
    /**
     * Below the ports that systems use for connections, one of which could take it before the server does; and below
     * those that control planes of tests choose from.
     */
    private static final int FIRST = 10_240;

    private static final int END = 20_000;

    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(END - FIRST));

    private FreePort() {}

    /** Returns a port that nobody listens on, a different one each time. */
    public static int find() {
        while (true) {
            int port = FIRST + Math.floorMod(NEXT.getAndIncrement(), END - FIRST);
            try (ServerSocket free = new ServerSocket(port)) {
                return free.getLocalPort();
            } catch (IOException e) {
                // Something listens there: the next one.
            }
        }
    }
}
