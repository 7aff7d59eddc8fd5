package io.urunner.registry;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ServerSocketFactory;

/** A server on loopback that writes what a test says, byte by byte, even if HTTP forbids it. */
final class HostileServer implements AutoCloseable {
    /** Writes the answer to a request. */
    interface Answer {
        void write(String target, OutputStream out) throws IOException;
    }

    private final ServerSocket server;
    private final Answer answer;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    HostileServer(ServerSocketFactory sockets, Answer answer) throws IOException {
        this.answer = answer;
        server = sockets.createServerSocket(0, 200, InetAddress.getLoopbackAddress());
        thread(this::accept).start();
    }

    HostileServer(Answer answer) throws IOException {
        this(ServerSocketFactory.getDefault(), answer);
    }

    String host() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "hostile-server");
        thread.setDaemon(true);
        return thread;
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                open.add(socket);
                thread(() -> serve(socket)).start();
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = new BufferedOutputStream(socket.getOutputStream());
            for (String target = target(in); target != null; target = target(in)) {
                answer.write(target, out);
                out.flush();
            }
        } catch (IOException e) {
            // The client has had enough.
        } finally {
            open.remove(socket);
        }
    }

    /** The target of the next request, or null if there is none. */
    private static String target(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                return null;
            }
            head.append((char) next);
        }
        return head.substring(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
    }

    static void text(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Writes a text more often than fits in memory. */
    static void endless(OutputStream out, String text) throws IOException {
        byte[] many = text.repeat(8192 / text.length()).getBytes(StandardCharsets.ISO_8859_1);
        for (long sent = 0; sent < 512L << 20; sent += many.length) {
            out.write(many);
        }
    }

    /** Writes one character after the other until the client disconnects. */
    static void trickle(OutputStream out, String text) throws IOException {
        try {
            for (int i = 0; ; i = (i + 1) % text.length()) {
                text(out, text.substring(i, i + 1));
                out.flush();
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    static void body(OutputStream out, String type, byte[] body) throws IOException {
        text(out, "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + body.length + "\r\n\r\n");
        out.write(body);
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
