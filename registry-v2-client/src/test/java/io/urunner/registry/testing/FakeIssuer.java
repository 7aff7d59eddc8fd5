package io.urunner.registry.testing;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * A registry whose passwords come from an issuer of one's own: a service that gives a new password to whoever shows a
 * key. The registry accepts them as Basic credentials while they live. The issuer is served without TLS on loopback, so
 * that any HTTP client of a plugin reaches it. Subclasses override how their issuer asks and answers. Thread-safe.
 */
public class FakeIssuer extends FakeRegistry {
    private final String user;
    private final String header;
    private final String key;
    private final Duration life;
    private final URI url;
    private final Map<String, Instant> passwords = new ConcurrentHashMap<>();
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile IssuerState state = IssuerState.WORKING;

    /**
     * Creates a registry and its issuer, which are served at once.
     *
     * @param network the network
     * @param host the registry's name
     * @param user the user name that the registry expects with a password
     * @param header the request header in which the issuer expects the key, for example {@code Authorization}
     * @param key the header's value
     * @param life how long a password is valid, by the clock of the network
     */
    @SuppressWarnings("this-escape") // as in FakeRegistry
    public FakeIssuer(TestNetwork network, String host, String user, String header, String key, Duration life) {
        super(network, host);
        this.user = user;
        this.header = header;
        this.key = key;
        this.life = life;
        url = network.servePlain("issuer of " + host, this::answerIssuer);
    }

    /**
     * Returns the address of the issuer.
     *
     * @return the URL, without a path; every path is answered
     */
    public final URI url() {
        return url;
    }

    /**
     * Whether the issuer gives a password for this request; by default to whoever shows the key.
     *
     * @param request the request
     * @return whether it does
     */
    protected boolean isEntitled(RecordedRequest request) {
        return key.equals(request.getHeader(header));
    }

    /**
     * The issuer's answer with a password; by default the password as text.
     *
     * @param password the password
     * @return the answer
     */
    protected MockResponse issued(String password) {
        return new MockResponse().setBody(password);
    }

    private MockResponse answerIssuer(RecordedRequest request) {
        requests.incrementAndGet();
        if (state == IssuerState.FAILING) {
            return new MockResponse().setResponseCode(503);
        }
        if (state == IssuerState.REFUSING || !isEntitled(request)) {
            return new MockResponse().setResponseCode(401);
        }
        String password = "password-" + UUID.randomUUID();
        UsedSecrets.add(password);
        given.add(password);
        passwords.put(password, network.clock().instant().plus(life));
        return issued(password);
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        String shown = basic(request);
        String password = shown != null && shown.startsWith(user + ":") ? shown.substring(user.length() + 1) : "";
        Instant end = passwords.get(password);
        return end != null && network.clock().instant().isBefore(end)
                ? null
                : error(401, "UNAUTHORIZED", "authentication required")
                        .setHeader("WWW-Authenticate", "Basic realm=\"" + host() + "\"");
    }

    @Override
    public final int issuerRequests() {
        return requests.get();
    }

    @Override
    public final void expireCredentials() {
        passwords.clear();
    }

    @Override
    public final void issuer(IssuerState newState) {
        state = newState;
    }

    @Override
    public final Set<String> secretsGiven() {
        return Set.copyOf(given);
    }
}
