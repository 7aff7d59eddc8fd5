package io.urunner.registry;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import javax.net.SocketFactory;
import okhttp3.Interceptor;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import okio.ForwardingSource;
import okio.Okio;
import org.jspecify.annotations.Nullable;

/**
 * Limits what a host may send without any content: OkHttp keeps the line before a chunk of a body regardless of its
 * length, and 256 KiB of headers as objects that take twenty times as much. With HTTP/1 the thread that makes a request
 * also reads the socket, so what a thread reads there is counted from the start of each request and each piece of a
 * body. Thread-safe.
 */
final class ReceiveLimit extends SocketFactory implements Interceptor {
    private static final int MOST = 64 * 1024;

    /** Creates the sockets; null for sockets on which a thread stops waiting when it is interrupted. */
    @Nullable private final SocketFactory sockets;

    /** How much the thread may still receive; with HTTP/2, other threads than the requesting ones read the socket. */
    private final ThreadLocal<long[]> left = ThreadLocal.withInitial(() -> new long[] {Long.MAX_VALUE});

    ReceiveLimit(@Nullable SocketFactory sockets) {
        this.sockets = sockets;
    }

    @Override
    public Response intercept(Chain chain) throws IOException {
        left.get()[0] = MOST;
        try {
            Response response = chain.proceed(chain.request());
            ResponseBody body = response.body();
            return response.newBuilder()
                    .body(ResponseBody.create(
                            Okio.buffer(new ForwardingSource(body.source()) {
                                @Override
                                public long read(Buffer sink, long byteCount) throws IOException {
                                    left.get()[0] = MOST;
                                    try {
                                        return super.read(sink, byteCount);
                                    } catch (IOException e) {
                                        throw reason(e);
                                    }
                                }
                            }),
                            null,
                            body.contentLength()))
                    .build();
        } catch (IOException e) {
            throw reason(e);
        }
    }

    /** TLS wraps every reason in an error of its own. */
    private IOException reason(IOException e) {
        return left.get()[0] < 0 ? new Violation("the host sent " + MOST + " bytes without any content") : e;
    }

    @Override
    public Socket createSocket() throws IOException {
        return new Counted(sockets == null ? SocketChannel.open().socket() : sockets.createSocket());
    }

    @Override
    public Socket createSocket(String host, int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) {
        throw new UnsupportedOperationException();
    }

    /** A socket that counts what is read from it; everything else is delegated, including synchronization. */
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    private final class Counted extends Socket {
        private final Socket socket;

        /** How much is not counted, because it is the TLS handshake. */
        private int free = MOST;

        Counted(Socket socket) {
            this.socket = socket;
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(socket.getInputStream()) {
                @Override
                public int read(byte[] buffer, int offset, int length) throws IOException {
                    int count = in.read(buffer, offset, length);
                    if (free > 0) {
                        free -= count;
                    } else {
                        left.get()[0] -= count;
                        if (left.get()[0] < 0) {
                            throw new IOException("too much data");
                        }
                    }
                    return count;
                }

                /** TLS empties what it closes: what is above the limit is not there. */
                @Override
                public int available() throws IOException {
                    return left.get()[0] < 0 ? 0 : in.available();
                }
            };
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return socket.getOutputStream();
        }

        @Override
        public void connect(SocketAddress endpoint, int timeout) throws IOException {
            socket.connect(endpoint, timeout);
        }

        @Override
        public @Nullable InetAddress getInetAddress() {
            return socket.getInetAddress();
        }

        @Override
        public int getPort() {
            return socket.getPort();
        }

        @Override
        public void setSoTimeout(int timeout) throws SocketException {
            socket.setSoTimeout(timeout);
        }

        @Override
        public int getSoTimeout() throws SocketException {
            return socket.getSoTimeout();
        }

        @Override
        public boolean isConnected() {
            return socket.isConnected();
        }

        @Override
        public boolean isClosed() {
            return socket.isClosed();
        }

        @Override
        public boolean isInputShutdown() {
            return socket.isInputShutdown();
        }

        @Override
        public boolean isOutputShutdown() {
            return socket.isOutputShutdown();
        }

        @Override
        public void shutdownInput() throws IOException {
            socket.shutdownInput();
        }

        @Override
        public void shutdownOutput() throws IOException {
            socket.shutdownOutput();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
