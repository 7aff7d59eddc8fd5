package io.urunner.registry.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.function.Consumer;
import javax.net.ServerSocketFactory;

/**
 * Server sockets that send everything at once. MockWebServer writes the head and the body of a response separately, and
 * with Nagle's algorithm the body waits until the client has acknowledged the head, which takes 40 ms on Linux.
 */
public final class PromptServerSockets extends ServerSocketFactory {
    private final Consumer<Socket> accepted;

    /** Creates a factory. */
    public PromptServerSockets() {
        this(socket -> {});
    }

    /**
     * Creates a factory.
     *
     * @param accepted receives each accepted socket
     */
    PromptServerSockets(Consumer<Socket> accepted) {
        this.accepted = accepted;
    }

    @Override
    public ServerSocket createServerSocket() throws IOException {
        return new ServerSocket() {
            @Override
            public Socket accept() throws IOException {
                Socket socket = super.accept();
                socket.setTcpNoDelay(true);
                accepted.accept(socket);
                return socket;
            }
        };
    }

    @Override
    public ServerSocket createServerSocket(int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog, InetAddress address) {
        throw new UnsupportedOperationException();
    }
}
