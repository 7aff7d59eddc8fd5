package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Grant;
import io.urunner.registry.CredentialLedger.Identity;
import io.urunner.registry.TokenService.Question;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import io.urunner.registry.auth.CredentialException;
import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls with the credentials that they need: remembers what registries demand, answers a challenge once per
 * credential, and tries several credentials in their order. Thread-safe.
 */
final class Authorizer {
    private static final int MOST_PREFERENCES = 10_000;

    private enum Kind {
        NONE,
        BASIC,
        BEARER,
        /** A bearer token that is itself the credential. */
        OWN_BEARER
    }

    /** What a request shows; question and token are there for {@link Kind#BEARER} alone. */
    private record Shown(
            Kind kind,
            @Nullable String header,
            @Nullable Question question,
            @Nullable Token token,
            boolean fresh) {
        static final Shown NOTHING = new Shown(Kind.NONE, null, null, null, false);

        boolean isStaleBearer() {
            return kind == Kind.BEARER && !fresh;
        }
    }

    /** An answer that is not about the content but about who asks. */
    private record Refusal(int status, List<Challenge> challenges, List<OciError> errors) {}

    /** Either the answer or the refusal. */
    private record Answer(
            @Nullable Response response, @Nullable Refusal refusal) {}

    /** A credential did not do. */
    private static final class NotAccepted extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient RegistryException error;

        /** Whether the credential was shown just now, so that a provider that can get another one should. */
        private final boolean renewable;

        NotAccepted(RegistryException error, boolean renewable) {
            super(error);
            this.error = error;
            this.renewable = renewable;
        }
    }

    private final Transport transport;
    private final TokenService tokens;
    private final CredentialProvider provider;
    private final CredentialLedger ledger;
    private final Pauses pauses;
    private final String userAgent;
    private final ChallengeMemory memory = new ChallengeMemory();
    private final LruMap<String, Credential> preferences = new LruMap<>(MOST_PREFERENCES);

    Authorizer(
            Transport transport,
            TokenService tokens,
            CredentialProvider provider,
            CredentialLedger ledger,
            Pauses pauses,
            String userAgent) {
        this.transport = transport;
        this.tokens = tokens;
        this.provider = provider;
        this.ledger = ledger;
        this.pauses = pauses;
        this.userAgent = userAgent;
    }

    /**
     * Sends a call.
     *
     * @return the answer, of any status but those that are about credentials; the caller closes it
     */
    Response send(Call call, Deadline deadline) throws RegistryException, IOException, InterruptedException {
        Host host = transport.hosts().of(call.registry());
        Set<Credential> tried = new HashSet<>();
        RegistryException failure = null;
        Response missing = null;
        boolean again = true;
        for (int round = 0; round < 2 && again; round++) {
            again = false;
            List<Credential> candidates = candidates(call);
            for (Credential credential : candidates) {
                if (!tried.add(credential)) {
                    continue;
                }
                try {
                    Response response = attempt(host, call, credential, deadline);
                    // Registries hide what a credential may not see: another one may find it.
                    if (response.code() == 404 && candidates.size() > 1) {
                        closeQuietly(missing);
                        missing = response;
                        continue;
                    }
                    closeQuietly(missing);
                    if (candidates.size() > 1) {
                        preferences.put(needOf(call), credential);
                    }
                    return response;
                } catch (NotAccepted e) {
                    if (e.renewable && !(credential instanceof Credential.Anonymous)) {
                        provider.refused(call.registry(), credential);
                        again = true;
                    }
                    if (failure == null) {
                        failure = e.error;
                    } else {
                        failure.addSuppressed(e.error);
                    }
                }
            }
        }
        if (missing != null) {
            return missing;
        }
        throw java.util.Objects.requireNonNull(failure);
    }

    private static void closeQuietly(@Nullable Response response) {
        if (response != null) {
            response.close();
        }
    }

    private static String needOf(Call call) {
        return call.registry() + " " + String.join(" ", call.scopes());
    }

    /** The credentials to try, the one that did the last time first. */
    private List<Credential> candidates(Call call) throws RegistryException {
        List<Credential> yielded;
        try {
            yielded = provider.credentials(call.registry(), call.repository());
        } catch (CredentialException e) {
            String reason = "there are no credentials: " + e.getMessage();
            throw e.isTransient()
                    ? new UnavailableException(call.what(), reason, null, e)
                    : new UnauthorizedException(call.what(), reason, e);
        }
        if (yielded.isEmpty()) {
            return List.of(new Credential.Anonymous());
        }
        Credential preferred = yielded.size() > 1 ? preferences.get(needOf(call)) : null;
        if (preferred == null || !yielded.contains(preferred)) {
            return yielded;
        }
        List<Credential> ordered = new ArrayList<>(yielded);
        ordered.remove(preferred);
        ordered.add(0, preferred);
        return ordered;
    }

    private Response attempt(Host host, Call call, Credential credential, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        throwIfRefused(call, ledger.refusalOf(grant(call, credential)));
        Identity asked = new Identity(call.registry(), credential);
        pauses.check(asked);
        try {
            Response response = attemptNow(host, call, credential, deadline);
            if (response.code() == 429) {
                pauses.note(asked, pauses.asked(response));
            }
            return response;
        } catch (TransientFailure e) {
            if (e.status() == 429) {
                pauses.note(asked, e.retryAfter());
            }
            throw e;
        }
    }

    private Response attemptNow(Host host, Call call, Credential credential, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        AuthHints hints = provider.hints(call.registry());
        Shown shown = atFirst(host, call, credential, hints, deadline);
        Answer answer = show(host, call, credential, shown, deadline);
        if (answer.refusal() != null) {
            Shown better = afterwards(host, call, credential, hints, shown, answer.refusal(), deadline);
            if (better != null) {
                shown = better;
                answer = show(host, call, credential, shown, deadline);
            }
        }
        if (answer.response() != null) {
            return answer.response();
        }
        throw conclude(call, credential, shown, java.util.Objects.requireNonNull(answer.refusal()));
    }

    private static Grant grant(Call call, Credential credential) {
        return new Grant(call.registry(), String.join(" ", call.scopes()), credential);
    }

    private static void throwIfRefused(Call call, CredentialLedger.@Nullable Refusal refusal) throws NotAccepted {
        if (refusal != null) {
            FailedRequest what = refusal.error().status().isPresent()
                    ? call.what()
                            .answered(
                                    refusal.error().status().getAsInt(),
                                    refusal.error().errors())
                    : call.what();
            String reason = refusal.reason() + "; the same credentials are not tried again before " + refusal.until();
            throw new NotAccepted(
                    refusal.denied()
                            ? new DeniedException(what, reason, null)
                            : new UnauthorizedException(what, reason, null),
                    false);
        }
    }

    /** What to show with the first request: what the registry demanded before. */
    private Shown atFirst(Host host, Call call, Credential credential, AuthHints hints, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        if (credential instanceof Credential.RegistryToken own) {
            return new Shown(Kind.OWN_BEARER, "Bearer " + own.token().reveal(), null, null, false);
        }
        ChallengeMemory.Demand demand = memory.of(call);
        if (credential instanceof Credential.Basic basic) {
            boolean directly = hints.basicDirectly() && (demand == null || !demand.basicRefused());
            if (directly || (demand != null && demand.realm() == null)) {
                return basic(basic);
            }
        }
        if (demand == null || demand.realm() == null) {
            return Shown.NOTHING;
        }
        Question question = new Question(demand.realm(), demand.service(), memory.scopes(call, demand), credential);
        return bearer(host, call, question, deadline);
    }

    private static Shown basic(Credential.Basic basic) {
        return new Shown(Kind.BASIC, TokenService.basic(basic.user(), basic.password()), null, null, false);
    }

    /** What to show after a refusal, or null if there is nothing better. */
    private @Nullable Shown afterwards(
            Host host,
            Call call,
            Credential credential,
            AuthHints hints,
            Shown shown,
            Refusal refusal,
            Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        if (shown.kind() == Kind.OWN_BEARER) {
            return null;
        }
        if (refusal.status() == 401) {
            boolean canBasic = credential instanceof Credential.Basic && shown.kind() != Kind.BASIC;
            boolean offersBasic = refusal.challenges().stream().anyMatch(Challenge::isBasic);
            Challenge bearer = refusal.challenges().stream()
                    .filter(Challenge::isBearer)
                    .filter(challenge -> challenge.parameter("realm").isPresent())
                    .findFirst()
                    .orElse(null);
            if (bearer != null) {
                HttpUrl realm = realm(host, bearer, hints);
                String objection = realm == null ? "it is no http or https URL" : objection(host, realm, hints);
                if (realm != null && objection == null) {
                    return answer(host, call, credential, shown, bearer, realm, deadline);
                }
                if (!offersBasic || !canBasic) {
                    throw new ProtocolViolationException(
                            call.what().answered(401, refusal.errors()),
                            "the registry sends us for a token to "
                                    + bearer.parameter("realm").orElse("") + ", which is not asked: " + objection,
                            null);
                }
            }
            if (offersBasic && canBasic) {
                if (shown.kind() == Kind.NONE) {
                    memory.learn(call, new ChallengeMemory.Demand(null, "", null, false));
                }
                return basic((Credential.Basic) credential);
            }
        }
        Question question = shown.question();
        if (!shown.isStaleBearer() || question == null) {
            return null;
        }
        return renewed(host, call, shown, question, deadline);
    }

    private Shown renewed(Host host, Call call, Shown shown, Question question, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        if (shown.token() != null) {
            tokens.drop(question, shown.token());
        }
        return bearer(host, call, question, deadline);
    }

    private @Nullable Shown answer(
            Host host,
            Call call,
            Credential credential,
            Shown shown,
            Challenge challenge,
            HttpUrl realm,
            Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        String scope = challenge.parameter("scope").orElse("");
        String service = challenge.parameter("service").orElse("");
        Question question = new Question(realm, service, memory.scopes(call, scope), credential);
        ChallengeMemory.Demand earlier = memory.of(call);
        boolean basicRefused = shown.kind() == Kind.BASIC || (earlier != null && earlier.basicRefused());
        memory.learn(call, new ChallengeMemory.Demand(realm, service, ChallengeMemory.opaque(scope), basicRefused));
        if (question.equals(shown.question())) {
            return shown.isStaleBearer() ? renewed(host, call, shown, question, deadline) : null;
        }
        return bearer(host, call, question, deadline);
    }

    private static @Nullable HttpUrl realm(Host host, Challenge challenge, AuthHints hints) throws IOException {
        if (hints.tokenEndpoint().isPresent()) {
            return HttpUrl.get(hints.tokenEndpoint().get());
        }
        HttpUrl realm = host.root().resolve(challenge.parameter("realm").orElse(""));
        return realm == null
                ? null
                : realm.newBuilder().username("").password("").fragment(null).build();
    }

    private static @Nullable String objection(Host host, HttpUrl realm, AuthHints hints) throws IOException {
        if (hints.tokenEndpoint().isPresent()) {
            return null;
        }
        Set<String> trusted = new HashSet<>(host.options().trustedHosts());
        trusted.addAll(hints.trustedRealms());
        return Addresses.objection(realm, host.root(), trusted);
    }

    /** A token to show; one that nobody has yet is fetched. */
    private Shown bearer(Host host, Call call, Question question, Deadline deadline)
            throws NotAccepted, RegistryException, IOException, InterruptedException {
        Token kept = tokens.kept(question);
        if (kept != null) {
            return shown(question, kept, false);
        }
        Identity identity = new Identity(Addresses.authority(question.realm()), question.credential());
        boolean anonymous = question.credential() instanceof Credential.Anonymous;
        ReentrantLock lock = anonymous ? null : ledger.holdUnproven(identity, deadline);
        try {
            throwIfRefused(call, ledger.refusalOf(identity));
            Token token = tokens.get(question, host, deadline);
            if (!anonymous) {
                ledger.prove(identity);
            }
            return shown(question, token, true);
        } catch (TokenService.Refused e) {
            throw refusedByIssuer(call, question, identity, e);
        } finally {
            if (lock != null) {
                lock.unlock();
            }
        }
    }

    private static Shown shown(Question question, Token token, boolean fresh) {
        return new Shown(Kind.BEARER, "Bearer " + token.value().reveal(), question, token, fresh);
    }

    private NotAccepted refusedByIssuer(Call call, Question question, Identity identity, TokenService.Refused refused)
            throws ProtocolViolationException {
        FailedRequest what = call.what().answered(refused.status(), refused.errors());
        boolean anonymous = question.credential() instanceof Credential.Anonymous;
        if (refused.status() != 401 && refused.status() != 403) {
            throw new ProtocolViolationException(
                    what,
                    "the token server " + identity.judge() + " does not understand the question for "
                            + String.join(" ", question.scopes()),
                    refused);
        }
        boolean denied = refused.status() == 403;
        String reason = "the token server " + identity.judge()
                + (anonymous
                        ? " gives no token without credentials, and none are configured for this repository"
                        : (denied ? " does not let " : " rejects ")
                                + who(call)
                                + (denied ? " read registries; give it the right" : "; check it"));
        RegistryException error =
                denied ? new DeniedException(what, reason, refused) : new UnauthorizedException(what, reason, refused);
        if (anonymous) {
            ledger.refuse(grant(call, question.credential()), error, reason, denied);
        } else {
            ledger.refuse(identity, error, reason, denied);
        }
        return new NotAccepted(error, true);
    }

    private String who(Call call) {
        return "the credential (" + provider.describe(call.registry(), call.repository()) + ")";
    }

    private Answer show(Host host, Call call, Credential credential, Shown shown, Deadline deadline)
            throws NotAccepted, IOException, InterruptedException {
        if (shown.kind() != Kind.BASIC && shown.kind() != Kind.OWN_BEARER) {
            return exchange(host, call, shown, deadline);
        }
        Identity identity = new Identity(call.registry(), credential);
        ReentrantLock lock = ledger.holdUnproven(identity, deadline);
        try {
            throwIfRefused(call, ledger.refusalOf(identity));
            Answer answer = exchange(host, call, shown, deadline);
            if (answer.response() != null) {
                if (answer.response().isSuccessful()) {
                    ledger.prove(identity);
                }
            } else if (answer.refusal() != null && rejects(host, call, shown, answer.refusal(), deadline)) {
                String reason = call.registry() + " rejects " + who(call) + "; check it";
                ledger.refuse(
                        identity,
                        new UnauthorizedException(
                                call.what()
                                        .answered(
                                                answer.refusal().status(),
                                                answer.refusal().errors()),
                                reason,
                                null),
                        reason,
                        false);
            }
            return answer;
        } finally {
            if (lock != null) {
                lock.unlock();
            }
        }
    }

    /**
     * Whether a registry that refused a request does not know the credential at all. Some answer 401 also where a good
     * credential lacks a right; the root of the API, which needs none, tells.
     */
    private boolean rejects(Host host, Call call, Shown shown, Refusal refusal, Deadline deadline)
            throws IOException, InterruptedException {
        if (refusal.status() != 401 || refusal.challenges().stream().anyMatch(Challenge::isBearer)) {
            return false;
        }
        if (call.target().equals(RegistryClient.ROOT)) {
            return true;
        }
        Request request = request(host, call.by("GET").at(RegistryClient.ROOT), shown);
        try (Response response = transport.send(host, request, false, false, deadline)) {
            return response.code() == 401;
        }
    }

    private Answer exchange(Host host, Call call, Shown shown, Deadline deadline)
            throws IOException, InterruptedException {
        Request request = request(host, call, shown);
        Response response = transport.send(host, request, call.streams(), false, deadline);
        int status = response.code();
        if (!isRefusal(response, request, shown)) {
            return new Answer(response, null);
        }
        try (response) {
            List<OciError> errors = Bodies.errors(response);
            if (status == 403 && request.method().equals("HEAD")) {
                errors = explain(host, request, status, deadline);
            }
            return new Answer(null, new Refusal(status, Challenge.parse(response.headers("WWW-Authenticate")), errors));
        }
    }

    /** ECR Public says 400 without a challenge where a token has expired; what a redirect led to does not know us at all. */
    private static boolean isRefusal(Response response, Request request, Shown shown) {
        if (!Addresses.sameOrigin(response.request().url(), request.url())) {
            return false;
        }
        return switch (response.code()) {
            case 401, 403 -> true;
            case 400 ->
                (shown.isStaleBearer() || shown.kind() == Kind.OWN_BEARER)
                        && (request.method().equals("GET") || request.method().equals("HEAD"))
                        && response.header("WWW-Authenticate") == null;
            default -> false;
        };
    }

    /**
     * The errors behind the answer to a {@code HEAD}, which carries none: the same is asked once with {@code GET}, except
     * where that costs quota.
     */
    List<OciError> explain(Host host, Request head, int status, Deadline deadline)
            throws IOException, InterruptedException {
        if (host.authority().equals(Repository.apiHost(Repository.DOCKER_HUB))) {
            return List.of();
        }
        try (Response response = transport.send(host, head.newBuilder().get().build(), false, false, deadline)) {
            return response.code() == status ? Bodies.errors(response) : List.of();
        }
    }

    private Request request(Host host, Call call, Shown shown) throws IOException {
        HttpUrl root = host.root();
        HttpUrl url = root.resolve(call.target());
        if (url == null) {
            throw new Violation("the registry led to " + call.target() + ", which is no http or https URL");
        }
        Request.Builder request = new Request.Builder()
                .url(url)
                .headers(call.headers())
                .header("User-Agent", userAgent)
                .header("Accept-Encoding", "identity")
                .method(call.method(), call.body());
        if (shown.header() != null && Addresses.sameOrigin(url, root)) {
            request.header("Authorization", shown.header());
        }
        return request.build();
    }

    private NotAccepted conclude(Call call, Credential credential, Shown shown, Refusal refusal) {
        FailedRequest what = call.what().answered(refusal.status(), refusal.errors());
        if (shown.token() != null && shown.question() != null) {
            tokens.drop(shown.question(), shown.token());
        }
        boolean own = shown.kind() == Kind.BASIC || shown.kind() == Kind.OWN_BEARER;
        CredentialLedger.Refusal rejected = own ? ledger.refusalOf(new Identity(call.registry(), credential)) : null;
        if (rejected != null) {
            return new NotAccepted(rejected.error(), true);
        }
        boolean insufficient = refusal.challenges().stream().anyMatch(Challenge::saysInsufficientScope);
        boolean denied = refusal.status() != 401 || insufficient || own;
        String reason = reason(call, credential, shown, denied);
        RegistryException error =
                denied ? new DeniedException(what, reason, null) : new UnauthorizedException(what, reason, null);
        ledger.refuse(grant(call, credential), error, reason, denied);
        return new NotAccepted(error, own);
    }

    private String reason(Call call, Credential credential, Shown shown, boolean denied) {
        if (credential instanceof Credential.Anonymous) {
            return denied
                    ? "this is not open to everybody, or does not exist; configure credentials for it"
                    : "the registry wants credentials, and none are configured for this repository";
        }
        if (shown.kind() == Kind.NONE) {
            return who(call) + " is of a kind that the registry does not take";
        }
        return denied
                ? who(call) + " does not allow this, or it does not exist; give it the right"
                : "the registry does not accept the token that it sent us for with " + who(call)
                        + ": it is wrong, does not allow this, or this does not exist";
    }
}
