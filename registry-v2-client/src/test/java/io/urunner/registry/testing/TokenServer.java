package io.urunner.registry.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.Dispatcher;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;

/**
 * A token server that behaves like GitLab's {@code /jwt/auth} and signs real tokens (RFC 7519, RS256 with {@code x5c})
 * that a real {@code docker-registry} in token mode accepts: {@code GET} only, 404 without a body on {@code POST} and
 * for an unknown service, an answer that is {@code {"token": …}} and nothing else, GitLab's JSON bodies of refusals,
 * and its ban of addresses. Thread-safe.
 */
public final class TokenServer implements AutoCloseable {
    /** The service that a registry names in its challenge. */
    public static final String SERVICE = "container_registry";

    /** The issuer that the tokens name. */
    public static final String ISSUER = "gitlab-issuer";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final @Nullable MockWebServer server;
    private final InstantSource clock;
    private final HeldCertificate signer =
            new HeldCertificate.Builder().rsa2048().commonName("token signer").build();
    private final Map<String, Account> accounts = new ConcurrentHashMap<>();
    private final Map<String, Grant> grants = new ConcurrentHashMap<>();
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final Set<String> publicRepositories = ConcurrentHashMap.newKeySet();
    private final List<RecordedRequest> requests = new CopyOnWriteArrayList<>();
    private volatile Duration life = Duration.ofMinutes(5);
    private volatile boolean banned;
    private volatile boolean refusing;
    private volatile int failure;

    /**
     * An account and its permissions.
     *
     * @param user the required user name (a deploy token), or null if GitLab accepts any (an access token)
     * @param registryAbility whether the token may use a registry at all
     * @param repositories the repositories from which it may pull
     */
    private record Account(@Nullable String user, boolean registryAbility, Set<String> repositories) {}

    /** The permissions of a token. */
    private record Grant(Set<String> repositories, Instant expiresAt) {}

    /** Starts the server on a free loopback port, without TLS. */
    public TokenServer() {
        clock = InstantSource.system();
        server = new MockWebServer();
        server.setServerSocketFactory(new PromptServerSockets());
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                return answer(request);
            }
        });
        try {
            server.start(InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1}), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Creates one with the same behaviour, to be served by something else. */
    TokenServer(InstantSource clock) {
        this.clock = clock;
        server = null;
    }

    /**
     * Adds a personal, project or group access token, which works with any user name that is not empty.
     *
     * @param token the token
     * @param repositories the repositories from which it may pull
     * @return this
     */
    public TokenServer accessToken(String token, String... repositories) {
        accounts.put(token, new Account(null, true, Set.of(repositories)));
        return this;
    }

    /**
     * Adds a deploy token, which works only with its own user name.
     *
     * @param user the user name, {@code gitlab+deploy-token-<n>} by default
     * @param token the token
     * @param repositories the repositories from which it may pull
     * @return this
     */
    public TokenServer deployToken(String user, String token, String... repositories) {
        accounts.put(token, new Account(user, true, Set.of(repositories)));
        return this;
    }

    /**
     * Adds a token that is valid but not allowed to use a registry ({@code read_repository} only).
     *
     * @param token the token
     * @return this
     */
    public TokenServer tokenWithoutRegistry(String token) {
        accounts.put(token, new Account(null, false, Set.of()));
        return this;
    }

    /**
     * Forgets a token, as if it were revoked.
     *
     * @param token the token
     */
    public void revoke(String token) {
        accounts.remove(token);
    }

    /**
     * Allows everybody to pull from a repository.
     *
     * @param repository the repository
     * @return this
     */
    public TokenServer publicRepository(String repository) {
        publicRepositories.add(repository);
        return this;
    }

    /**
     * Sets how long tokens are valid from now on (GitLab's default: five minutes).
     *
     * @param duration the lifetime; the answer does not state it, but the token's {@code exp} does
     */
    public void tokenLife(Duration duration) {
        life = duration;
    }

    /**
     * Bans all addresses, or stops doing so: 403 without a body or a hint.
     *
     * @param value whether addresses are banned
     */
    public void ban(boolean value) {
        banned = value;
    }

    /**
     * Answers every request with this status.
     *
     * @param status the status, or 0 to answer as usual
     */
    public void failWith(int status) {
        failure = status;
    }

    /**
     * Returns the URL that stands for GitLab's own.
     *
     * @return the URL without a path
     */
    public URI url() {
        return URI.create("http://127.0.0.1:" + Objects.requireNonNull(server).getPort());
    }

    /**
     * The realm of the challenge.
     *
     * @return the URL of {@code /jwt/auth}
     */
    public URI realm() {
        return url().resolve("/jwt/auth");
    }

    /**
     * The certificate that a registry needs to check the tokens.
     *
     * @return PEM
     */
    public String certificatePem() {
        return signer.certificatePem();
    }

    /**
     * Returns the requests, oldest first.
     *
     * @return the requests
     */
    public List<RecordedRequest> requests() {
        return List.copyOf(requests);
    }

    /**
     * Signs a token.
     *
     * @param repository the repository it is for
     * @param actions the allowed actions
     * @return the token
     */
    public String mint(String repository, List<String> actions) {
        return sign(List.of(access(repository, actions)));
    }

    /** Refuses all credentials, or stops doing so. */
    void refuseAll(boolean value) {
        refusing = value;
    }

    /** Whether a token is one of ours and has not expired. */
    boolean isAlive(String token) {
        Grant grant = grants.get(token);
        return grant != null && clock.instant().isBefore(grant.expiresAt());
    }

    /** Whether a token may read a repository. */
    boolean mayPull(String token, String repository) {
        Grant grant = grants.get(token);
        return grant != null && grant.repositories().contains(repository);
    }

    /** The issued tokens. */
    Set<String> given() {
        return Set.copyOf(given);
    }

    /** Invalidates all issued tokens. */
    void forgetTokens() {
        grants.clear();
    }

    @Override
    public void close() {
        try {
            if (server != null) {
                server.shutdown();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    MockResponse answer(RecordedRequest request) {
        requests.add(request);
        HttpUrl url = FakeRegistry.url(request);
        if (banned) {
            return new MockResponse().setResponseCode(403);
        }
        if (failure != 0) {
            return new MockResponse().setResponseCode(failure);
        }
        if (!"GET".equals(request.getMethod())
                || !url.encodedPath().equals("/jwt/auth")
                || !SERVICE.equals(url.queryParameter("service"))) {
            return new MockResponse().setResponseCode(404);
        }
        return token(request.getHeader("Authorization"), url.queryParameterValues("scope"));
    }

    private MockResponse token(@Nullable String authorization, List<@Nullable String> scopes) {
        Account account = null;
        if (authorization != null) {
            account = account(authorization);
            if (account == null || refusing) {
                return refusal(
                        401,
                        "UNAUTHORIZED",
                        "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was"
                                + " incorrect or you're required to use a token instead of a password.");
            }
            if (!account.registryAbility()) {
                return refusal(403, "DENIED", "access forbidden");
            }
        }
        List<Map<String, Object>> granted = new ArrayList<>();
        for (String value : scopes) {
            for (String scope : Objects.requireNonNull(value).split(" ")) {
                String repository = scope.substring(scope.indexOf(':') + 1, scope.lastIndexOf(':'));
                if (scope.startsWith("repository:")
                        && (publicRepositories.contains(repository)
                                || (account != null && account.repositories().contains(repository)))) {
                    granted.add(access(repository, List.of("pull")));
                }
            }
        }
        if (account == null && granted.isEmpty()) {
            return refusal(403, "DENIED", "access forbidden");
        }
        return json(200, Map.of("token", sign(granted)));
    }

    private @Nullable Account account(String authorization) {
        if (!authorization.startsWith("Basic ")) {
            return null;
        }
        String pair = new String(
                Base64.getDecoder().decode(authorization.substring("Basic ".length())), StandardCharsets.UTF_8);
        int colon = pair.indexOf(':');
        String user = pair.substring(0, colon);
        Account account = accounts.get(pair.substring(colon + 1));
        boolean known = account != null
                && !user.isEmpty()
                && (account.user() == null || account.user().equals(user));
        return known ? account : null;
    }

    private static Map<String, Object> access(String repository, List<String> actions) {
        return Map.of("type", "repository", "name", repository, "actions", List.copyOf(new TreeSet<>(actions)));
    }

    private String sign(List<Map<String, Object>> access) {
        long now = clock.instant().getEpochSecond();
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", ISSUER);
        claims.put("sub", "");
        claims.put("aud", SERVICE);
        claims.put("iat", now);
        claims.put("nbf", now - 5);
        claims.put("exp", now + life.toSeconds());
        claims.put("jti", UUID.randomUUID().toString());
        claims.put("access", access);
        try {
            String certificate =
                    Base64.getEncoder().encodeToString(signer.certificate().getEncoded());
            String head =
                    encode(JSON.writeValueAsBytes(Map.of("typ", "JWT", "alg", "RS256", "x5c", List.of(certificate))));
            String content = head + "." + encode(JSON.writeValueAsBytes(claims));
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(signer.keyPair().getPrivate());
            signature.update(content.getBytes(StandardCharsets.US_ASCII));
            String token = content + "." + encode(signature.sign());
            Set<String> readable = ConcurrentHashMap.newKeySet();
            access.forEach(entry -> readable.add(String.valueOf(entry.get("name"))));
            given.add(token);
            grants.put(token, new Grant(readable, clock.instant().plus(life)));
            return token;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static MockResponse refusal(int status, String code, String message) {
        return json(status, Map.of("errors", List.of(Map.of("code", code, "message", message))));
    }

    private static MockResponse json(int status, Object body) {
        try {
            return new MockResponse()
                    .setResponseCode(status)
                    .setHeader("Content-Type", "application/json")
                    .setBody(JSON.writeValueAsString(body));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
