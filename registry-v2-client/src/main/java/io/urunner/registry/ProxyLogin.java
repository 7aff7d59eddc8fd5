package io.urunner.registry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.nio.charset.StandardCharsets;
import okhttp3.Authenticator;
import okhttp3.Connection;
import okhttp3.Credentials;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.Route;
import org.jspecify.annotations.Nullable;

/**
 * Shows a proxy's login to that proxy: with {@code CONNECT} for a host that speaks TLS, with the request itself for one
 * that does not, and never to the host. Thread-safe.
 */
final class ProxyLogin implements Authenticator, Interceptor {
    private static final String HEADER = "Proxy-Authorization";

    private final EnvironmentProxySelector proxies;

    private ProxyLogin(EnvironmentProxySelector proxies) {
        this.proxies = proxies;
    }

    /** The proxy demands another login than ours. */
    static final class Refused extends IOException {
        Refused(String message) {
            super(message);
        }
    }

    /** The same client, through proxies. */
    static OkHttpClient through(ProxySelector proxies, OkHttpClient client) {
        OkHttpClient.Builder builder = client.newBuilder().proxy(null).proxySelector(proxies);
        if (proxies instanceof EnvironmentProxySelector environment) {
            ProxyLogin login = new ProxyLogin(environment);
            builder.proxyAuthenticator(login).addNetworkInterceptor(login);
        }
        return builder.build();
    }

    /** Asked before each {@code CONNECT}, and for each answer 407. */
    @Override
    public @Nullable Request authenticate(@Nullable Route route, Response response) throws IOException {
        Request request = response.request();
        String header = route == null ? null : header(route.proxy());
        // OkHttp asks before the first CONNECT, too, with an answer that it made up.
        boolean asked = true;
        for (okhttp3.Challenge challenge : response.challenges()) {
            asked &= !challenge.scheme().equalsIgnoreCase("OkHttp-Preemptive");
        }
        if (asked) {
            String proxy = route == null ? "the proxy" : "the proxy " + ProxyAddress.shown(route.proxy());
            throw new Refused(
                    header == null
                            ? proxy + " demands a login (407); put user and password before its host in HTTPS_PROXY,"
                                    + " HTTP_PROXY or ALL_PROXY"
                            : proxy + " refuses the login (407); check user and password in HTTPS_PROXY, HTTP_PROXY or"
                                    + " ALL_PROXY");
        }
        return header == null ? null : with(header, request);
    }

    /** A request over plain http goes to the proxy as it is; through a tunnel, the header would reach the host. */
    @Override
    public Response intercept(Chain chain) throws IOException {
        Request request = chain.request();
        Connection connection = chain.connection();
        String header = request.isHttps() || connection == null
                ? null
                : header(connection.route().proxy());
        return chain.proceed(header == null ? request : with(header, request));
    }

    private static Request with(String header, Request request) {
        return request.newBuilder().header(HEADER, header).build();
    }

    private @Nullable String header(Proxy proxy) {
        if (proxy.type() != Proxy.Type.HTTP || !(proxy.address() instanceof InetSocketAddress address)) {
            return null;
        }
        PasswordAuthentication login = proxies.login(address);
        return login == null
                ? null
                : Credentials.basic(login.getUserName(), String.valueOf(login.getPassword()), StandardCharsets.UTF_8);
    }
}
