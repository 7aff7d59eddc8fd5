package io.urunner.registry;

import com.fasterxml.jackson.databind.JsonNode;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.Secret;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import okhttp3.Credentials;
import okhttp3.FormBody;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Gets bearer tokens from token servers and keeps them (distribution, "Token Authentication Specification" and "OAuth2
 * Token Authentication"). The same question is asked only once at a time; others that ask it meanwhile wait for that
 * answer. Thread-safe.
 */
final class TokenService {
    private static final int MOST = 10_000;

    /** How many characters of tokens are kept in total: some tokens are long, and one may have 64 kB. */
    private static final int LONGEST = 4_000_000;

    private static final String CLIENT_ID = "urunner";
    private static final Set<String> REJECTIONS = Set.of("invalid_grant", "invalid_client", "unauthorized_client");

    /** The user name with which an identity token is sent as Basic (Docker's convention). */
    private static final String IDENTITY_TOKEN_USER = "<token>";

    /** What a token is requested for; tokens are kept by it. */
    record Question(HttpUrl realm, String service, List<String> scopes, Credential credential) {
        /** The token server and the credential, without the scopes. */
        Question forAll() {
            return new Question(realm, "", List.of(), credential);
        }
    }

    /** A token server's refusal, 4xx. */
    static final class Refused extends Exception {
        private final int status;
        private final transient ErrorAnswer answer;

        Refused(int status, ErrorAnswer answer) {
            super("the token server answered " + status);
            this.status = status;
            this.answer = answer;
        }

        /** Whether it rejects the credential by OAuth's 400 (RFC 6749, section 5.2). */
        boolean rejects() {
            return status == 400 && OciError.anyIs(answer.errors(), REJECTIONS);
        }

        int status() {
            return status;
        }

        List<OciError> errors() {
            return answer.errors();
        }

        /** Whether it is the token server's own answer. */
        boolean isSpecified() {
            return answer.isSpecified();
        }
    }

    private final Transport transport;
    private final InstantSource clock;
    private final LongSupplier ticker;
    private final RegistryObserver observer;
    private final LruMap<Question, Token> tokens = new LruMap<>(MOST, LONGEST);
    private final ConcurrentHashMap<Question, CompletableFuture<Token>> underWay = new ConcurrentHashMap<>();

    /** Refresh tokens from token servers, by the token server and the credential for which they were issued. */
    private final LruMap<Question, Secret> refreshTokens = new LruMap<>(MOST, LruMap.LONGEST);

    /** Realms that do not support {@code POST}. */
    private final LruMap<HttpUrl, Boolean> getOnly = new LruMap<>(MOST, LruMap.LONGEST);

    TokenService(Transport transport, InstantSource clock, LongSupplier ticker, RegistryObserver observer) {
        this.transport = transport;
        this.clock = clock;
        this.ticker = ticker;
        this.observer = observer;
    }

    /** The kept token, if it is still usable. */
    @Nullable Token kept(Question question) {
        Token token = tokens.get(question);
        return token != null && token.isUsable(clock.instant()) ? token : null;
    }

    /** Forgets a refused token, unless another one has taken its place. */
    void drop(Question question, Token refused) {
        tokens.remove(question, refused);
    }

    /**
     * Returns a token, kept or new.
     *
     * @param registry the registry that it is for
     * @throws Refused if the token server refuses
     */
    Token get(Question question, Host registry, Deadline deadline) throws Refused, IOException, InterruptedException {
        while (true) {
            Token kept = kept(question);
            if (kept != null) {
                return kept;
            }
            CompletableFuture<Token> mine = new CompletableFuture<>();
            CompletableFuture<Token> others = underWay.putIfAbsent(question, mine);
            if (others == null) {
                return ask(question, registry, mine, deadline);
            }
            try {
                return others.get(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                throw new SocketTimeoutException(
                        "no token from " + Addresses.authority(question.realm()) + " before the deadline");
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                if (cause instanceof Refused refused) {
                    throw refused;
                } else if (cause instanceof IOException failed) {
                    throw failed;
                }
            } catch (CancellationException e) {
                // The asking thread was interrupted or failed, which does not concern this one: ask again.
            }
        }
    }

    private Token ask(Question question, Host registry, CompletableFuture<Token> result, Deadline deadline)
            throws Refused, IOException, InterruptedException {
        try {
            // Another thread may have finished since we looked.
            Token token = kept(question);
            if (token == null) {
                token = fetch(question, registry, deadline);
                tokens.put(question, token);
            }
            result.complete(token);
            return token;
        } catch (Refused | IOException e) {
            result.completeExceptionally(e);
            throw e;
        } finally {
            underWay.remove(question, result);
            // Whatever was thrown, no thread waits for this one any longer. Has no effect if there is an answer.
            result.cancel(false);
        }
    }

    private Token fetch(Question question, Host registry, Deadline deadline)
            throws Refused, IOException, InterruptedException {
        long started = ticker.getAsLong();
        boolean success = false;
        try {
            Token token = exchange(question, registry, deadline);
            success = true;
            return token;
        } finally {
            observer.tokenFetched(
                    registry.name(),
                    Addresses.authority(question.realm()),
                    success,
                    Duration.ofNanos(ticker.getAsLong() - started));
        }
    }

    private Token exchange(Question question, Host registry, Deadline deadline)
            throws Refused, IOException, InterruptedException {
        Credential credential = question.credential();
        boolean refreshes = credential instanceof Credential.AccessToken
                || (credential instanceof Credential.IdentityToken && getOnly.get(question.realm()) == null);
        if (refreshes) {
            Secret given = refreshTokens.get(question.forAll());
            if (given != null) {
                try {
                    return refresh(question, given, registry, deadline);
                } catch (Refused e) {
                    // The refresh token has expired; the credential that it was issued for may still be valid.
                    refreshTokens.remove(question.forAll(), given);
                }
            }
            Secret own = credential instanceof Credential.AccessToken access
                    ? exchange(question, access, registry, deadline)
                    : ((Credential.IdentityToken) credential).refreshToken();
            try {
                return refresh(question, own, registry, deadline);
            } catch (Refused e) {
                if (credential instanceof Credential.AccessToken || (e.status() != 404 && e.status() != 405)) {
                    throw e;
                }
                getOnly.put(question.realm(), true);
            }
        }
        boolean secret = !(question.credential() instanceof Credential.Anonymous);
        try (Response response = transport.send(registry, get(question), false, secret, deadline)) {
            return token(response, read(response, question));
        }
    }

    /** Gets a token for a refresh token; a new refresh token that comes with it is kept. */
    private Token refresh(Question question, Secret refreshToken, Host registry, Deadline deadline)
            throws Refused, IOException, InterruptedException {
        FormBody.Builder form = new FormBody.Builder()
                .add("grant_type", "refresh_token")
                .add("client_id", CLIENT_ID)
                .add("refresh_token", refreshToken.reveal());
        if (!question.scopes().isEmpty()) {
            form.add("scope", String.join(" ", question.scopes()));
        }
        try (Response response = post(question, question.realm(), form, registry, deadline)) {
            JsonNode answer = read(response, question);
            Secret given = Token.refreshToken(answer);
            if (given != null) {
                keep(question, given);
            }
            return token(response, answer);
        }
    }

    /** Gets the registry's refresh token for another party's access token. */
    private Secret exchange(Question question, Credential.AccessToken access, Host registry, Deadline deadline)
            throws Refused, IOException, InterruptedException {
        FormBody.Builder form = new FormBody.Builder()
                .add("grant_type", "access_token")
                .add("access_token", access.token().reveal());
        if (!access.tenant().isEmpty()) {
            form.add("tenant", access.tenant());
        }
        HttpUrl url = Objects.requireNonNull(question.realm().resolve("exchange"));
        try (Response response = post(question, url, form, registry, deadline)) {
            Secret given = Token.refreshToken(read(response, question));
            if (given == null) {
                throw new Violation("the token server's answer has no refresh_token");
            }
            keep(question, given);
            return given;
        }
    }

    private void keep(Question question, Secret refreshToken) {
        refreshTokens.put(question.forAll(), refreshToken);
    }

    private Response post(Question question, HttpUrl url, FormBody.Builder form, Host registry, Deadline deadline)
            throws IOException, InterruptedException {
        if (!question.service().isEmpty()) {
            form.add("service", question.service());
        }
        return transport.send(
                registry, transport.request(url).post(form.build()).build(), false, true, deadline);
    }

    private Request get(Question question) {
        HttpUrl.Builder url = question.realm().newBuilder();
        if (!question.service().isEmpty()) {
            url.addQueryParameter("service", question.service());
        }
        for (String scope : question.scopes()) {
            url.addQueryParameter("scope", scope);
        }
        Request.Builder request = transport.request(url.build());
        String authorization = basic(question.credential());
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return request.build();
    }

    private static @Nullable String basic(Credential credential) {
        if (credential instanceof Credential.Basic basic) {
            return basic(basic.user(), basic.password());
        }
        return credential instanceof Credential.IdentityToken identity
                ? basic(IDENTITY_TOKEN_USER, identity.refreshToken())
                : null;
    }

    /** The value of {@code Authorization} for user and password (RFC 7617). */
    static String basic(String user, Secret password) {
        return Credentials.basic(user, password.reveal(), StandardCharsets.UTF_8);
    }

    private JsonNode read(Response response, Question question) throws Refused, IOException {
        int status = response.code();
        String issuer = "the token server " + Addresses.authority(question.realm());
        if (status >= 400) {
            TransientFailure failure = TransientFailure.of(issuer, response, clock.instant());
            if (RetryPolicy.isTransient(status) || failure.isLimit()) {
                throw failure;
            }
            throw new Refused(status, ErrorAnswer.of(response));
        }
        if (!response.isSuccessful()) {
            throw new Violation(issuer + " answered " + status + " instead of a token");
        }
        return Token.read(Bodies.read(response, Bodies.SMALL));
    }

    private Token token(Response response, JsonNode answer) throws IOException {
        Instant now = clock.instant();
        Instant serverNow = response.headers().getInstant("Date");
        return Token.parse(answer, serverNow == null ? now : serverNow, now);
    }
}
