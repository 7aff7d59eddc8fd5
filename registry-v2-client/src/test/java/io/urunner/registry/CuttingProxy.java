package io.urunner.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Relays connections to a server on loopback, and cuts some of them after a number of bytes from the client, as an
 * unreliable network does.
 */
final class CuttingProxy implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Queue<Long> cuts = new ConcurrentLinkedQueue<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    CuttingProxy(int target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        thread(this::accept);
    }

    String host() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** Cuts the connections on which so many bytes arrive next, one for each number. */
    void cutAfter(long... bytes) {
        for (long count : bytes) {
            cuts.add(count);
        }
    }

    /** How many of the cuts have not happened yet. */
    int left() {
        return cuts.size();
    }

    private static void thread(Runnable task) {
        Thread thread = new Thread(task, "cutting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                Socket server = new Socket("127.0.0.1", target);
                open.add(client);
                open.add(server);
                thread(() -> relay(client, server, true));
                thread(() -> relay(server, client, false));
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void relay(Socket from, Socket to, boolean cuttable) {
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[8192];
            long passed = 0;
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
                passed += n;
                Long cut = cuttable ? cuts.peek() : null;
                if (cut != null && passed >= cut && cuts.remove(cut)) {
                    return;
                }
            }
        } catch (IOException e) {
            // One side has ended, so that the other one is closed, too.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
