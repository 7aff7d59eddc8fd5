package io.urunner.registry;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.SocketFactory;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/** Applies the TLS settings of {@link HostOptions}. */
final class Tls {
    /** The first byte of a TLS record with a handshake message, and of one with an alert (RFC 8446, section 5.1). */
    private static final int HANDSHAKE = 22;

    private static final int ALERT = 21;
    private static final char[] NO_PASSWORD = {};

    private Tls() {}

    /** Applies the options; without any that concern TLS, nothing changes. */
    static void configure(OkHttpClient.Builder builder, HostOptions options) {
        if (!options.insecureTls()
                && options.authorities().isEmpty()
                && options.clientCertificate().isEmpty()) {
            return;
        }
        try {
            TrustAnybody anybody = options.insecureTls() ? new TrustAnybody() : null;
            X509TrustManager trust = anybody != null ? anybody : trust(options);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys(options), new X509TrustManager[] {trust}, null);
            builder.sslSocketFactory(context.getSocketFactory(), trust);
            if (anybody != null) {
                builder.hostnameVerifier(anybody);
            }
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("the certificates cannot be used: " + e.getMessage(), e);
        }
    }

    private static X509TrustManager trust(HostOptions options) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        for (X509Certificate certificate : trustManager(null).getAcceptedIssuers()) {
            store.setCertificateEntry("runtime-" + number++, certificate);
        }
        for (X509Certificate certificate : options.authorities()) {
            store.setCertificateEntry("own-" + number++, certificate);
        }
        return trustManager(store);
    }

    private static X509TrustManager trustManager(@Nullable KeyStore store) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    private static KeyManager @Nullable [] keys(HostOptions options) throws GeneralSecurityException, IOException {
        if (options.clientCertificate().isEmpty()) {
            return null;
        }
        ClientCertificate certificate = options.clientCertificate().get();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry(
                "client", certificate.key(), NO_PASSWORD, certificate.chain().toArray(new X509Certificate[0]));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    /**
     * Whether a server answers a TLS greeting in TLS. A plain one says something else, or waits for the rest of what it
     * takes for a line.
     *
     * @param sockets creates the socket
     * @param host the server's host; of several addresses, the first reachable one counts
     * @param timeoutMillis how long to wait, both for the connection and for the first byte
     */
    static boolean isSpokenAt(SocketFactory sockets, String host, int port, int timeoutMillis) throws IOException {
        InetAddress[] addresses = InetAddress.getAllByName(host);
        for (int i = 0; ; i++) {
            try {
                return isSpokenAt(sockets, new InetSocketAddress(addresses[i], port), timeoutMillis);
            } catch (ConnectException e) {
                if (i == addresses.length - 1) {
                    throw e;
                }
            }
        }
    }

    private static boolean isSpokenAt(SocketFactory sockets, InetSocketAddress address, int timeoutMillis)
            throws IOException {
        try (Socket socket = sockets.createSocket()) {
            socket.connect(address, timeoutMillis);
            socket.setSoTimeout(timeoutMillis);
            socket.getOutputStream().write(greeting());
            int first = socket.getInputStream().read();
            return first == HANDSHAKE || first == ALERT;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    private static byte[] greeting() throws IOException {
        try {
            SSLEngine engine = SSLContext.getDefault().createSSLEngine();
            engine.setUseClientMode(true);
            ByteBuffer record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
            engine.wrap(ByteBuffer.allocate(0), record);
            byte[] bytes = new byte[record.flip().remaining()];
            record.get(bytes);
            return bytes;
        } catch (GeneralSecurityException e) {
            throw new IOException("this Java runtime cannot speak TLS", e);
        }
    }

    private static final class TrustAnybody extends X509ExtendedTrustManager implements HostnameVerifier {
        @Override
        public boolean verify(String host, SSLSession session) {
            return true;
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
