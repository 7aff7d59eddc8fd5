package io.urunner.registry.testing;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.HttpUrl;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.RecordedRequest;
import org.jspecify.annotations.Nullable;

/**
 * A registry that requires bearer tokens, with its token server on the same host or another. It is the common case;
 * subclasses override what their registry does differently. Thread-safe.
 */
public abstract class FakeTokenRegistry extends FakeRegistry {
    private final String tokenHost;
    private final String tokenPath;
    private final String service;
    private final Map<String, Set<String>> accounts = new ConcurrentHashMap<>();
    private final Set<String> publicRepositories = ConcurrentHashMap.newKeySet();
    private final Map<String, Grant> grants = new ConcurrentHashMap<>();
    private final Set<String> given = ConcurrentHashMap.newKeySet();
    private final AtomicInteger issuerRequests = new AtomicInteger();
    private volatile IssuerState issuer = IssuerState.WORKING;

    private record Grant(Set<String> repositories, Instant expiresAt) {}

    /**
     * A request to the token server.
     *
     * @param form whether it came as a form ({@code POST})
     * @param parameters the query or the form, as a URL's query
     * @param scopes the scopes, one by one
     */
    protected record Question(boolean form, HttpUrl parameters, List<String> scopes) {}

    /**
     * Creates a registry and its token server, which are served at once.
     *
     * @param network the network
     * @param host the registry's name
     * @param tokenHost the token server's name
     * @param tokenPath the token server's path
     * @param service the service of its challenges
     */
    @SuppressWarnings("this-escape") // as in FakeRegistry
    protected FakeTokenRegistry(TestNetwork network, String host, String tokenHost, String tokenPath, String service) {
        super(network, host);
        this.tokenHost = tokenHost;
        this.tokenPath = tokenPath;
        this.service = service;
        if (!tokenHost.equals(host)) {
            network.serve(tokenHost, request -> {
                MockResponse answer = answerOther(request, url(request));
                return answer != null ? answer : new MockResponse().setResponseCode(404);
            });
        }
    }

    /**
     * Adds an account.
     *
     * @param user the user name
     * @param password the password
     * @param repositories what it may read
     */
    public final void account(String user, String password, String... repositories) {
        UsedSecrets.add(password);
        accounts.put(user + ":" + password, Set.of(repositories));
    }

    /**
     * Allows everybody to read a repository.
     *
     * @param repository the repository
     */
    public final void publicRepository(String repository) {
        publicRepositories.add(repository);
    }

    @Override
    protected @Nullable MockResponse answerOther(RecordedRequest request, HttpUrl url) {
        return url.encodedPath().equals(tokenPath) ? answerToken(request, url) : null;
    }

    @Override
    protected @Nullable MockResponse refuse(RecordedRequest request, @Nullable String repository) {
        String token = bearer(request);
        if (token == null) {
            return challenge(repository, "");
        }
        if (!isAlive(token)) {
            return invalidToken(repository);
        }
        return repository == null || mayRead(token, repository) ? null : insufficient(repository);
    }

    /** The answer to a token that is unknown or has expired. */
    protected MockResponse invalidToken(@Nullable String repository) {
        return challenge(repository, ",error=\"invalid_token\"");
    }

    /** The answer to a token of insufficient scope. */
    protected MockResponse insufficient(String repository) {
        return challenge(repository, ",error=\"insufficient_scope\"");
    }

    /** 401 with the registry's challenge. */
    protected MockResponse challenge(@Nullable String repository, String error) {
        String scope = repository == null ? "" : ",scope=\"repository:" + repository + ":pull\"";
        return unauthorized()
                .setHeader(
                        "WWW-Authenticate",
                        "Bearer realm=\"" + realm() + "\",service=\"" + service + "\"" + scope + error);
    }

    /** The URL of the token server. */
    protected String realm() {
        return "https://" + tokenHost + tokenPath;
    }

    /** The token server's answer with a token. */
    protected Map<String, Object> tokenAnswer(String token) {
        return Map.of("token", token);
    }

    /** How long a token lives. */
    protected Duration life() {
        return Duration.ofMinutes(5);
    }

    /** The status of the answer to a token request by POST, or 0 if it is supported. */
    protected int postStatus() {
        return 405;
    }

    /** The answer to wrong credentials. */
    protected MockResponse wrongCredentials(Question question) {
        return unauthorized();
    }

    /** The answer to a malformed question, or null. */
    protected @Nullable MockResponse invalid(Question question) {
        return service.equals(question.parameters().queryParameter("service"))
                ? null
                : new MockResponse().setResponseCode(400);
    }

    /** The answer if nothing that was requested is granted, or null to issue a useless token. */
    protected @Nullable MockResponse nothingGranted(Question question, boolean anonymous) {
        return null;
    }

    /** What the account of the request may read: an entry of {@link #account}, or null for wrong credentials. */
    protected @Nullable Set<String> repositoriesOf(RecordedRequest request, Question question) {
        String shown = basic(request);
        return shown == null ? Set.of() : accounts.get(shown);
    }

    /** What an account may read. */
    protected final @Nullable Set<String> repositoriesOf(String user, String password) {
        return accounts.get(user + ":" + password);
    }

    /** Whether the request has no identity at all. */
    protected boolean isAnonymous(RecordedRequest request, Question question) {
        return request.getHeader("Authorization") == null;
    }

    protected final boolean isPublic(String repository) {
        return publicRepositories.contains(repository);
    }

    protected final boolean isAlive(String token) {
        Grant grant = grants.get(token);
        return grant != null && network.clock().instant().isBefore(grant.expiresAt());
    }

    protected boolean mayRead(String token, String repository) {
        Grant grant = grants.get(token);
        return grant != null && (isPublic(repository) || grant.repositories().contains(repository));
    }

    /** Issues a token. */
    protected final String mint(Set<String> repositories) {
        String token = "token-" + UUID.randomUUID();
        given.add(token);
        UsedSecrets.add(token);
        grants.put(token, new Grant(repositories, network.clock().instant().plus(life())));
        return token;
    }

    protected final IssuerState issuerState() {
        return issuer;
    }

    protected static MockResponse unauthorized() {
        return error(401, "UNAUTHORIZED", "authentication required");
    }

    @Override
    public final int issuerRequests() {
        return issuerRequests.get();
    }

    @Override
    public final void expireCredentials() {
        grants.clear();
    }

    @Override
    public final void issuer(IssuerState state) {
        issuer = state;
    }

    @Override
    public Set<String> secretsGiven() {
        return Set.copyOf(given);
    }

    /** Counts a token request as answered. */
    protected final void countIssuerRequest() {
        issuerRequests.incrementAndGet();
    }

    private MockResponse answerToken(RecordedRequest request, HttpUrl url) {
        countIssuerRequest();
        if (issuer == IssuerState.FAILING) {
            return new MockResponse().setResponseCode(503);
        }
        boolean form = "POST".equals(request.getMethod());
        if (form && postStatus() != 0) {
            return new MockResponse().setResponseCode(postStatus());
        }
        HttpUrl parameters = form
                ? HttpUrl.get(
                        "https://site.invalid/?" + request.getBody().clone().readUtf8())
                : url;
        List<String> scopes = new ArrayList<>();
        parameters
                .queryParameterValues("scope")
                .forEach(value -> scopes.addAll(
                        List.of(Objects.requireNonNull(value).strip().split(" "))));
        scopes.removeIf(String::isEmpty);
        Question question = new Question(form, parameters, List.copyOf(scopes));
        MockResponse invalid = invalid(question);
        if (invalid != null) {
            return invalid;
        }
        boolean anonymous = isAnonymous(request, question);
        Set<String> readable = repositoriesOf(request, question);
        if (readable == null || (issuer == IssuerState.REFUSING && !anonymous)) {
            return wrongCredentials(question);
        }
        return grant(question, readable, anonymous);
    }

    private MockResponse grant(Question question, Set<String> readable, boolean anonymous) {
        Set<String> granted = new HashSet<>();
        for (String scope : question.scopes()) {
            String[] parts = scope.split(":", 2);
            String repository = parts.length < 2 ? "" : parts[1].substring(0, Math.max(0, parts[1].lastIndexOf(':')));
            if (readable.contains(repository) || isPublic(repository)) {
                granted.add(repository);
            }
        }
        MockResponse refusal = granted.isEmpty() ? nothingGranted(question, anonymous) : null;
        return refusal != null ? refusal : json(200, tokenAnswer(mint(grantable(granted, readable))));
    }

    /** What a token allows: by default what was requested and may be read. */
    protected Set<String> grantable(Set<String> granted, Set<String> readable) {
        return granted;
    }
}
