package io.urunner.registry.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import okhttp3.ConnectionPool;
import okhttp3.Dns;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;

/**
 * A small Internet in the process: stand-ins of registries are served over TLS under the names of the real ones ({@code
 * https://registry.gitlab.com/}), and {@link #client()} reaches them and nothing else. Its clock stands still until a
 * test moves it. Thread-safe; closing it closes all servers.
 */
public final class TestNetwork implements AutoCloseable {
    /** Answers requests. */
    @FunctionalInterface
    public interface Site {
        /**
         * Answers a request; called by many threads.
         *
         * @param request the request
         * @return the answer
         */
        MockResponse answer(RecordedRequest request);
    }

    private record Server(MockWebServer web, byte[] address) {}

    private final HeldCertificate authority = DockerRegistry.newAuthority();
    private final Map<String, Server> servers = new ConcurrentHashMap<>();
    private final List<MockWebServer> plain = new CopyOnWriteArrayList<>();
    private final Map<String, List<RecordedRequest>> requests = new ConcurrentHashMap<>();
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final OkHttpClient client;
    private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

    /** Creates an empty network. */
    public TestNetwork() {
        HandshakeCertificates trust = new HandshakeCertificates.Builder()
                .addTrustedCertificate(authority.certificate())
                .build();
        client = new OkHttpClient.Builder()
                .connectionPool(new ConnectionPool(16, 1, TimeUnit.MINUTES))
                .sslSocketFactory(trust.sslSocketFactory(), trust.trustManager())
                .dns(new Names())
                .socketFactory(new Sockets())
                .build();
    }

    /**
     * Serves a site over TLS, with a certificate for its name.
     *
     * @param host the name, at port 443
     * @param site what answers
     */
    public void serve(String host, Site site) {
        HeldCertificate certificate = new HeldCertificate.Builder()
                .commonName("site")
                .addSubjectAlternativeName(host)
                .signedBy(authority)
                .build();
        HandshakeCertificates identity =
                new HandshakeCertificates.Builder().heldCertificate(certificate).build();
        MockWebServer web = server(host, site);
        web.useHttps(identity.sslSocketFactory(), false);
        start(web);
        // Addresses for documentation (RFC 5737): nobody else uses them.
        byte[] address = {(byte) 203, 0, 113, (byte) (servers.size() + 1)};
        servers.put(host, new Server(web, address));
    }

    /**
     * Serves a site without TLS on loopback, for users other than {@link #client()}.
     *
     * @param name its name in {@link #requests}
     * @param site what answers
     * @return its URL
     */
    public URI servePlain(String name, Site site) {
        MockWebServer web = server(name, site);
        start(web);
        plain.add(web);
        return URI.create("http://127.0.0.1:" + web.getPort());
    }

    /**
     * Returns an HTTP client that knows only this network.
     *
     * @return the client; the network closes it
     */
    public OkHttpClient client() {
        return client;
    }

    /**
     * Returns the network's time.
     *
     * @return a clock that {@link #advance} moves
     */
    public InstantSource clock() {
        return () -> now;
    }

    /**
     * Lets time pass.
     *
     * @param duration how much
     */
    public void advance(Duration duration) {
        now = now.plus(duration);
    }

    /**
     * Returns the requests to a site.
     *
     * @param host its name
     * @return the requests, oldest first
     */
    public List<RecordedRequest> requests(String host) {
        return List.copyOf(requests.getOrDefault(host, List.of()));
    }

    /**
     * Counts the connections that clients hold to any of the servers.
     *
     * @return their number
     */
    public long openConnections() {
        return sockets.stream().filter(socket -> !socket.isClosed()).count();
    }

    /** Closes the idle connections of {@link #client()}. */
    public void closeIdleConnections() {
        client.connectionPool().evictAll();
    }

    @Override
    public void close() {
        client.dispatcher().executorService().shutdown();
        closeIdleConnections();
        List<MockWebServer> all = new ArrayList<>(plain);
        servers.values().forEach(server -> all.add(server.web()));
        for (MockWebServer web : all) {
            try {
                web.shutdown();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private MockWebServer server(String name, Site site) {
        List<RecordedRequest> seen = requests.computeIfAbsent(name, missing -> new CopyOnWriteArrayList<>());
        MockWebServer web = new MockWebServer();
        web.setProtocols(List.of(Protocol.HTTP_1_1));
        web.setServerSocketFactory(new PromptServerSockets(sockets::add));
        web.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                seen.add(request);
                UsedSecrets.sentWith(request);
                return site.answer(request);
            }
        });
        return web;
    }

    private static void start(MockWebServer web) {
        try {
            web.start(InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1}), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private final class Names implements Dns {
        @Override
        public List<InetAddress> lookup(String host) throws UnknownHostException {
            Server server = servers.get(host);
            if (server == null) {
                throw new UnknownHostException(host + " is not in the test network");
            }
            return List.of(InetAddress.getByAddress(host, server.address()));
        }
    }

    /** Sockets that connect each address of the network to its server. */
    private final class Sockets extends SocketFactory {
        @Override
        public Socket createSocket() {
            return new Socket() {
                @Override
                public void connect(SocketAddress endpoint, int timeout) throws IOException {
                    String host = ((InetSocketAddress) endpoint).getHostString();
                    Server server = servers.get(host);
                    if (server == null || ((InetSocketAddress) endpoint).getPort() != 443) {
                        throw new ConnectException(endpoint + " is not in the test network");
                    }
                    super.connect(
                            new InetSocketAddress("127.0.0.1", server.web().getPort()), timeout);
                }
            };
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
    }
}
