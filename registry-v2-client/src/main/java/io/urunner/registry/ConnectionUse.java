package io.urunner.registry;

import java.net.InetSocketAddress;
import java.net.Proxy;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import okhttp3.Response;

/** Observes one request: whether its connection was kept from an earlier one, whether it was sent, and whether
 * an answer began. */
final class ConnectionUse extends EventListener {
    private volatile boolean connected;
    private volatile boolean acquired;
    private volatile boolean sent;
    private volatile boolean answered;

    /** Whether the host may have closed the connection before it got the request. */
    boolean mayBeStale() {
        return acquired && !connected && !answered;
    }

    /** Whether the host may have got the request. */
    boolean isSent() {
        return sent;
    }

    @Override
    public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
        connected = true;
    }

    @Override
    public void connectionAcquired(Call call, Connection connection) {
        acquired = true;
    }

    @Override
    public void requestHeadersStart(Call call) {
        sent = true;
    }

    @Override
    public void responseHeadersEnd(Call call, Response response) {
        answered = true;
    }
}
