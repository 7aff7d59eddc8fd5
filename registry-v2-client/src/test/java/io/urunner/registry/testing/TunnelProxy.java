package io.urunner.registry.testing;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * An HTTP proxy on loopback for hosts that speak TLS: it answers {@code CONNECT} with one status, and connects every
 * host to the same port of this machine. It does not understand other requests.
 */
public final class TunnelProxy implements AutoCloseable {
    private static final int LONGEST_HEAD = 16_384;

    private final ServerSocket server;
    private final int status;
    private final int target;
    private volatile String login = "";
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<String> heads = new CopyOnWriteArrayList<>();

    private TunnelProxy(int status, int target) throws IOException {
        this.status = status;
        this.target = target;
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    /**
     * Starts a proxy that connects every host to a port of this machine.
     *
     * @param port the port
     * @return the proxy; the caller closes it
     * @throws IOException if it cannot listen
     */
    public static TunnelProxy to(int port) throws IOException {
        return new TunnelProxy(200, port);
    }

    /**
     * Starts a proxy that connects to nothing.
     *
     * @param status its answer, such as 407
     * @return the proxy; the caller closes it
     * @throws IOException if it cannot listen
     */
    public static TunnelProxy refusing(int status) throws IOException {
        return new TunnelProxy(status, 0);
    }

    /**
     * Demands a login.
     *
     * @param header the value of {@code Proxy-Authorization} without which it answers 407
     * @return this
     */
    public TunnelProxy demanding(String header) {
        login = header;
        return this;
    }

    /**
     * Returns where it listens.
     *
     * @return {@code host:port}
     */
    public String at() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    /**
     * Returns what was asked of it.
     *
     * @return the first lines of the requests
     */
    public List<String> lines() {
        return heads.stream().map(head -> head.split("\r\n", 2)[0]).toList();
    }

    /**
     * Returns what was asked of it with the login that it demands.
     *
     * @return the first lines of those requests
     */
    public List<String> accepted() {
        return heads.stream()
                .filter(this::isKnown)
                .map(head -> head.split("\r\n", 2)[0])
                .toList();
    }

    private boolean isKnown(String head) {
        return login.isEmpty()
                || header(head, "Proxy-Authorization").filter(login::equals).isPresent();
    }

    private static Optional<String> header(String head, String name) {
        return head.lines()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst();
    }

    /**
     * Returns a header of a request.
     *
     * @param request its number, from 0
     * @param name the header's name
     * @return its value, if it was sent
     */
    public Optional<String> header(int request, String name) {
        return header(heads.get(request), name);
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                sockets.add(client);
                threads.execute(() -> serve(client));
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void serve(Socket client) {
        try (client) {
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0 && head.length() < LONGEST_HEAD) {
                int next = client.getInputStream().read();
                if (next < 0) {
                    return;
                }
                head.append((char) next);
            }
            heads.add(head.toString());
            int answer = isKnown(head.toString()) ? status : 407;
            String demand = answer == 407 ? "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" : "";
            client.getOutputStream()
                    .write(("HTTP/1.1 " + answer + " Answer\r\n" + demand + "Content-Length: 0\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            if (answer == 200) {
                relay(client);
            }
        } catch (IOException e) {
            // One side has closed the connection.
        }
    }

    private void relay(Socket client) throws IOException {
        try (Socket host = new Socket(InetAddress.getLoopbackAddress(), target)) {
            sockets.add(host);
            threads.execute(() -> copy(host, client));
            copy(client, host);
        }
    }

    private static void copy(Socket from, Socket to) {
        try (InputStream received = from.getInputStream()) {
            received.transferTo(to.getOutputStream());
        } catch (IOException e) {
            // One side has closed the connection.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : new ArrayList<>(sockets)) {
            socket.close();
        }
        threads.shutdownNow();
    }
}
