package io.urunner.agent.app.http;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection with one request and one response. All its waits have deadlines. Runs on the server's thread and never
 * blocks it.
 */
final class Connection {
    private static final Duration HEAD = Duration.ofSeconds(5);
    private static final Duration BODY = Duration.ofSeconds(5);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    /** The limit for a body or response that makes no progress. */
    private static final Duration STALLED = Duration.ofSeconds(2);
    /** How long a request may wait for its turn. */
    private static final Duration TURN = Duration.ofSeconds(20);
    /** Closing a connection with unread input loses the response, so input is read for a moment. */
    private static final Duration LEAVING = Duration.ofSeconds(1);

    private static final int MOST_DROPPED = 2 * 1024 * 1024;
    private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    /** IPv6 addresses with the same prefix count as one peer. */
    private static final int PREFIX = 8;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final InetAddress address;
    private final LongSupplier ticker;
    private final HeadReader head = new HeadReader();

    private Stage stage = Stage.HEAD;
    private long end;
    private long stalled;
    private @Nullable HttpRequest request;
    /** The bytes after the head: the start of the body, or garbage. */
    private ByteBuffer more = ByteBuffer.allocate(0);

    private @Nullable BodyReader body;
    private ByteBuffer answer = ByteBuffer.allocate(0);
    private int dropped;

    /** What the connection waits for. */
    enum Stage {
        /** For its peer to close it. */
        LEAVING,
        /** For the head of the request. */
        HEAD,
        /** For its turn. */
        TURN,
        /** For the body of the request. */
        BODY,
        /** For its peer to take the answer. */
        ANSWER,
        /** For an endpoint. */
        ENDPOINT
    }

    Connection(SocketChannel channel, SelectionKey key, LongSupplier ticker) throws IOException {
        this.channel = channel;
        this.key = key;
        this.ticker = ticker;
        address = ((InetSocketAddress) channel.getRemoteAddress()).getAddress();
        wait(Stage.HEAD, HEAD, SelectionKey.OP_READ);
    }

    private void wait(Stage forWhat, Duration most, int operations) {
        stage = forWhat;
        end = ticker.getAsLong() + most.toNanos();
        progress();
        if (key.isValid()) {
            key.interestOps(operations);
        }
    }

    private void progress() {
        stalled = ticker.getAsLong() + STALLED.toNanos();
    }

    Stage stage() {
        return stage;
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    /** Tells whether it holds a request or a response in memory. */
    boolean isUnderWay() {
        return stage == Stage.BODY || stage == Stage.ENDPOINT || (stage == Stage.ANSWER && answer.capacity() > 1024);
    }

    InetAddress address() {
        return address;
    }

    /** The peer: an IPv4 address, or the network of an IPv6 address. */
    ByteBuffer peer() {
        byte[] bytes = address.getAddress();
        return ByteBuffer.wrap(bytes, 0, Math.min(PREFIX, bytes.length));
    }

    /** Tells whether its deadline has passed. */
    boolean isLate() {
        long now = ticker.getAsLong();
        return switch (stage) {
            case ENDPOINT -> false; // which has deadlines of its own
            case BODY, ANSWER -> now - end > 0 || now - stalled > 0;
            case HEAD, TURN, LEAVING -> now - end > 0;
        };
    }

    /**
     * Reads or writes what is possible now.
     *
     * @param buffer to read into
     * @return whether something is complete: the head of the request, if it waited for that, or its body
     */
    boolean goOn(ByteBuffer buffer) throws IOException, MalformedRequestException {
        if (stage == Stage.ANSWER) {
            send();
            return false;
        }
        buffer.clear();
        int count = channel.read(buffer);
        buffer.flip();
        if (count < 0 || (stage == Stage.LEAVING && (dropped += count) > MOST_DROPPED)) {
            close();
            return false;
        }
        return count > 0 && take(buffer);
    }

    private boolean take(ByteBuffer came) throws MalformedRequestException {
        if (stage == Stage.BODY && body != null) {
            progress();
            return body.take(came);
        }
        if (stage != Stage.HEAD) {
            return false;
        }
        request = head.take(came);
        if (request == null) {
            return false;
        }
        more = ByteBuffer.allocate(came.remaining()).put(came).flip();
        return true;
    }

    /** The request, with the part of its body that was read. */
    HttpRequest request() {
        if (request == null) {
            throw new IllegalStateException("nothing was requested yet");
        }
        return body == null ? request : request.with(body.body());
    }

    /** The request waits until there is room for it. */
    void awaitTurn() {
        wait(Stage.TURN, TURN, 0);
    }

    /** An endpoint works on the request. */
    void awaitEndpoint() {
        wait(Stage.ENDPOINT, TURN, 0);
    }

    /** Reads the body from now on; returns whether it is complete. */
    boolean awaitBody(int most) throws IOException, MalformedRequestException {
        body = new BodyReader(request().length(), most);
        wait(Stage.BODY, BODY, SelectionKey.OP_READ);
        if (request().expectsContinue() && !more.hasRemaining()) {
            channel.write(ByteBuffer.wrap(CONTINUE));
        }
        return take(more);
    }

    /** Sends the response, and closes. */
    void answer(byte[] bytes) throws IOException {
        answer = ByteBuffer.wrap(bytes);
        wait(Stage.ANSWER, ANSWER, SelectionKey.OP_WRITE);
        send();
    }

    private void send() throws IOException {
        if (channel.write(answer) > 0) {
            progress();
        }
        if (!answer.hasRemaining()) {
            answer = ByteBuffer.allocate(0);
            channel.shutdownOutput();
            wait(Stage.LEAVING, LEAVING, SelectionKey.OP_READ);
        }
    }

    void close() {
        key.cancel();
        try {
            channel.close();
        } catch (IOException e) {
            // It is closed anyway.
        }
    }
}
