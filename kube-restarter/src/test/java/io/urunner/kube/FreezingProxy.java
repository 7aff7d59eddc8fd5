package io.urunner.kube;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** Forwards bytes to a port of this machine, and can stop silently, like a network that loses packets. */
final class FreezingProxy implements AutoCloseable {
    private final ServerSocket socket;
    private final int target;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile int generation;

    FreezingProxy(int target) throws IOException {
        this.target = target;
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        thread(this::accept);
    }

    URI address(String scheme) {
        return URI.create(scheme + "://127.0.0.1:" + socket.getLocalPort());
    }

    /** From now on nothing passes on existing connections; new ones work. */
    void freeze() {
        generation++;
    }

    private static void thread(Runnable task) {
        Thread thread = new Thread(task, "freezing-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket from = socket.accept();
                Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
                sockets.addAll(List.of(from, to));
                int born = generation;
                thread(() -> pump(from, to, born));
                thread(() -> pump(to, from, born));
            }
        } catch (IOException e) {
            closed.countDown();
        }
    }

    private void pump(Socket from, Socket to, int born) {
        byte[] buffer = new byte[8192];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (generation != born) {
                    closed.await();
                }
                out.write(buffer, 0, read);
            }
            to.shutdownOutput();
        } catch (IOException | InterruptedException e) {
            return; // one side is closed
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket each : sockets) {
            each.close();
        }
    }
}
