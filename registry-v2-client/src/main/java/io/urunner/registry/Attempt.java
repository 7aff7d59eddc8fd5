package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import io.urunner.registry.TokenService.Question;
import io.urunner.registry.auth.AuthHints;
import io.urunner.registry.auth.Credential;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * One call with one credential: sends what the registry demanded before, and answers a challenge, and once more a
 * different one. It is used once, by one thread.
 */
final class Attempt {
    /**
     * What a request sends as authorization.
     *
     * @param header the value of {@code Authorization}, or null for none
     * @param question what the token was requested for, or null if the credential itself is sent
     * @param token the token, or null if the credential itself is sent
     * @param fresh whether the token was obtained for this call
     */
    private record Shown(
            @Nullable String header,
            @Nullable Question question,
            @Nullable Token token,
            boolean fresh) {
        /** Whether it is an earlier token, which may have been revoked or have expired early. */
        boolean isStale() {
            return token != null && !fresh;
        }

        boolean isCredentialItself() {
            return header != null && token == null;
        }
    }

    /** How reasons refer to the credential. */
    private static final String CREDENTIAL = "the credential";

    /** How many challenges of the registry are answered: the second must demand something else. */
    private static final int MOST_ANSWERS = 2;

    private static final Shown NOTHING = new Shown(null, null, null, false);

    private final Authorizer parts;
    private final Call call;
    private final Credential credential;
    private final Deadline deadline;
    private final AuthHints hints;
    private final Host host;

    /** The token server that the provider names, or null to use the one that the registry names. */
    private final @Nullable HttpUrl endpoint;

    private Shown shown = NOTHING;
    private boolean wrong;
    private @Nullable RegistryException rejection;
    private int status;
    private List<Challenge> challenges = List.of();
    private List<OciError> errors = List.of();

    /** Whether the last refusal has the form of a registry's or token server's own. */
    private boolean specified;

    /** Whether the credential itself was sent to the registry. */
    private boolean sentItself;

    Attempt(Authorizer parts, Call call, Credential credential, Deadline deadline) {
        this.parts = parts;
        this.call = call;
        this.credential = credential;
        this.deadline = deadline;
        this.hints = parts.provider.hints(call.registry());
        this.host = parts.transport.hosts().of(call.registry());
        this.endpoint = hints.tokenEndpoint().map(HttpUrl::get).orElse(null);
    }

    /**
     * Sends the call.
     *
     * @return the answer; the caller closes it
     * @throws NotAccepted if the credential is not accepted
     */
    Response send() throws NotAccepted, RegistryException, IOException, InterruptedException {
        throwIfRefused(grant());
        shown = atFirst();
        Response response = show();
        for (int answered = 0; response == null && answered < MOST_ANSWERS; answered++) {
            Shown better = afterwards();
            if (better == null) {
                break;
            }
            shown = better;
            response = show();
        }
        if (response == null) {
            throw conclude();
        }
        parts.ledger.grant(grant());
        return response;
    }

    private Claim grant() {
        return new Claim(call.registry(), call.joinedScopes(), credential);
    }

    private Claim identity() {
        return Claim.identity(call.registry(), credential);
    }

    private void throwIfRefused(Claim claim) throws NotAccepted {
        CredentialLedger.Refusal refusal = parts.ledger.refusalOf(claim);
        if (refusal == null) {
            return;
        }
        FailedRequest what = call.what().answered(refusal.status(), refusal.errors());
        String reason = named(refusal.reason())
                + (credential instanceof Credential.Anonymous
                        ? "; it is not asked again before "
                        : "; the same credentials are not tried again before ")
                + refusal.until().truncatedTo(ChronoUnit.SECONDS);
        throw new NotAccepted(error(what, reason, refusal.denied(), refusal.verdict(), null), false);
    }

    static RegistryException error(
            FailedRequest what, String reason, boolean denied, Verdict verdict, @Nullable Throwable cause) {
        boolean mayPass = verdict == Verdict.NONE;
        return denied
                ? new DeniedException(what, reason, cause, mayPass)
                : new UnauthorizedException(what, reason, cause, mayPass);
    }

    /** Records that a claim was refused; {@code confirmed} says whether that is final if it is the registry's own word. */
    private RegistryException refuse(
            Claim claim, boolean denied, boolean confirmed, String reason, @Nullable Throwable cause) {
        Verdict verdict = !specified ? Verdict.NONE : confirmed ? Verdict.FINAL : Verdict.UNCONFIRMED;
        parts.ledger.refuse(claim, status, errors, denied, verdict, reason);
        return error(call.what().answered(status, errors), named(reason), denied, verdict, cause);
    }

    /**
     * Names the credential in a reason as its provider describes it. The recorded reason names none: another provider
     * may have the same credential, and must not learn whose it was.
     */
    private String named(String reason) {
        String description = parts.provider.describe(call.registry(), call.repository());
        return reason.replace(CREDENTIAL, CREDENTIAL + " (" + description + ")");
    }

    /**
     * Waits for the turn to send a credential that nobody has accepted yet.
     *
     * @return the held lock, or null if the credential is proven
     */
    private @Nullable ReentrantLock hold(Claim identity) throws NotAccepted, IOException, InterruptedException {
        ReentrantLock lock = parts.ledger.holdUnproven(identity, deadline);
        boolean admitted = false;
        try {
            throwIfRefused(identity);
            Instant until = lock == null ? null : parts.suspect(call.registry(), credential);
            if (until != null) {
                String reason = "too many wrong credentials were sent to " + call.registry() + "; " + CREDENTIAL
                        + " is not tried before " + until.truncatedTo(ChronoUnit.SECONDS);
                throw new NotAccepted(error(call.what(), named(reason), false, Verdict.FINAL, null), false);
            }
            admitted = true;
            return lock;
        } finally {
            if (!admitted && lock != null) {
                lock.unlock();
            }
        }
    }

    private void release(@Nullable ReentrantLock lock) {
        if (lock != null) {
            if (!wrong) {
                parts.acquit(call.registry(), credential);
            }
            lock.unlock();
        }
    }

    /** What to send with the first request: what the registry demanded before. */
    private Shown atFirst() throws NotAccepted, IOException, InterruptedException, RegistryException {
        if (credential instanceof Credential.RegistryToken own) {
            return new Shown("Bearer " + own.token().reveal(), null, null, false);
        }
        ChallengeMemory.Demand demand = parts.memory.of(call, hints);
        if (credential instanceof Credential.Basic basic) {
            boolean directly = hints.basicDirectly() && (demand == null || !demand.basicRefused());
            if (directly || (demand != null && demand.realm() == null)) {
                return basic(basic);
            }
        }
        if (demand == null || demand.realm() == null) {
            return NOTHING;
        }
        return bearer(new Question(demand.realm(), demand.service(), parts.memory.scopes(call, demand), credential));
    }

    private static Shown basic(Credential.Basic basic) {
        return new Shown(TokenService.basic(basic.user(), basic.password()), null, null, false);
    }

    /** What to send after a refusal, or null if there is nothing better. */
    private @Nullable Shown afterwards() throws NotAccepted, RegistryException, IOException, InterruptedException {
        if (credential instanceof Credential.RegistryToken) {
            return null;
        }
        // A token without the permission may be answered with 403 (RFC 6750, section 3.1).
        if (status == 401 || challenges.stream().anyMatch(Challenge::saysInsufficientScope)) {
            boolean basicHelps = credential instanceof Credential.Basic
                    && !sentItself
                    && challenges.stream().anyMatch(Challenge::isBasic);
            for (Challenge challenge : challenges) {
                String named = challenge.parameter("realm");
                if (challenge.isBearer() && !named.isEmpty()) {
                    HttpUrl realm = realm(named);
                    String objection = realm == null
                            ? "it is not an http or https URL"
                            : endpoint != null ? null : parts.transport.hosts().objection(host, realm, host.root());
                    if (realm != null && objection == null) {
                        return answer(challenge, realm);
                    } else if (!basicHelps) {
                        throw new ProtocolViolationException(
                                call.what().answered(status, errors),
                                "the registry names a token server" + (realm == null ? "" : " at " + realm.redact())
                                        + " that is not used: " + objection,
                                null);
                    }
                }
            }
            if (basicHelps) {
                if (shown.header() == null) {
                    parts.memory.learn(call, hints, new ChallengeMemory.Demand(null, "", null, false));
                }
                return basic((Credential.Basic) credential);
            }
        }
        return shown.isStale() ? renewed() : null;
    }

    private Shown renewed() throws NotAccepted, IOException, InterruptedException, RegistryException {
        Question question = Objects.requireNonNull(shown.question());
        parts.tokens.drop(question, Objects.requireNonNull(shown.token()));
        return bearer(question);
    }

    /** Gets the token that a challenge demands. */
    private @Nullable Shown answer(Challenge challenge, HttpUrl realm)
            throws NotAccepted, IOException, InterruptedException, RegistryException {
        String scope = challenge.parameter("scope");
        String service = challenge.parameter("service");
        ChallengeMemory memory = parts.memory;
        Question question = new Question(realm, service, memory.scopes(call, scope), credential);
        ChallengeMemory.Demand earlier = memory.of(call, hints);
        boolean basicRefused = shown.isCredentialItself() || (earlier != null && earlier.basicRefused());
        Shown next = question.equals(shown.question()) ? shown.isStale() ? renewed() : null : bearer(question);
        // Only once it worked: what one repository demands is also requested for the others of the registry.
        memory.learn(
                call, hints, new ChallengeMemory.Demand(realm, service, ChallengeMemory.opaque(scope), basicRefused));
        return next;
    }

    private @Nullable HttpUrl realm(String named) throws IOException {
        if (endpoint != null) {
            return endpoint;
        }
        HttpUrl realm = host.root().resolve(named);
        return realm == null ? null : Addresses.realm(realm, host.root());
    }

    /** A token to send; if none is kept, it is fetched. */
    private Shown bearer(Question question) throws NotAccepted, IOException, InterruptedException, RegistryException {
        Token kept = parts.tokens.kept(question);
        if (kept != null) {
            return bearer(question, kept, false);
        }
        Claim identity = Claim.identity(Addresses.authority(question.realm()), credential);
        boolean anonymous = credential instanceof Credential.Anonymous;
        ReentrantLock lock = anonymous ? null : hold(identity);
        try {
            Token token = parts.tokens.get(question, endpoint == null ? host : host.trusting(endpoint), deadline);
            if (!anonymous) {
                parts.ledger.prove(identity);
            }
            return bearer(question, token, true);
        } catch (TokenService.Refused e) {
            throw refusedByIssuer(question, identity, e);
        } finally {
            release(lock);
        }
    }

    private static Shown bearer(Question question, Token token, boolean fresh) {
        return new Shown("Bearer " + token.value().reveal(), question, token, fresh);
    }

    /**
     * Records a token server's refusal. 401 is about the credential, once it is {@linkplain CredentialLedger#blame
     * confirmed}. So is a bare 403, which is how addresses are banned; with {@code DENIED}, only this request is denied,
     * and another repository may be allowed.
     */
    private NotAccepted refusedByIssuer(Question question, Claim identity, TokenService.Refused refused)
            throws ProtocolViolationException {
        status = refused.status();
        errors = refused.errors();
        specified = refused.isSpecified();
        String issuer = "the token server " + Addresses.authority(question.realm());
        boolean denied = status == 403;
        if (status != 401 && !denied && !refused.rejects()) {
            throw new ProtocolViolationException(
                    call.what().answered(status, errors),
                    issuer + " does not understand the request for " + String.join(" ", question.scopes()),
                    refused);
        }
        CredentialLedger.Blame blame = new CredentialLedger.Blame(grant(), false);
        String reason;
        if (credential instanceof Credential.Anonymous) {
            reason = issuer + " issues no token without credentials, and none are configured for it";
        } else if (!denied) {
            blame = parts.ledger.blame(identity, grant());
            reason = issuer + " rejects " + CREDENTIAL + "; check it";
        } else if (errors.stream().anyMatch(error -> error.code().equals("DENIED"))) {
            blame = new CredentialLedger.Blame(grant(), true);
            reason = issuer + " denies this to " + CREDENTIAL
                    + ": it is wrong or lacks the permission, or this does not exist";
        } else {
            // A bare 403 is how addresses are banned: asking for something else would only prolong it.
            blame = specified ? parts.ledger.blame(identity, grant()) : new CredentialLedger.Blame(identity, false);
            reason = issuer + " turns " + CREDENTIAL
                    + " away: it has no access to the registry, or our address is banned";
        }
        wrong = !(credential instanceof Credential.Anonymous);
        return new NotAccepted(refuse(blame.claim(), denied, blame.confirmed(), reason, refused), true);
    }

    /** Returns the answer, or null after recording what a refusal says. */
    private @Nullable Response show() throws NotAccepted, IOException, InterruptedException {
        if (!shown.isCredentialItself()) {
            return exchange();
        }
        Claim identity = identity();
        ReentrantLock lock = hold(identity);
        try {
            sentItself = true;
            Response response = exchange();
            // A client that guesses credentials may also get 404: nothing is there, or nothing it may see.
            wrong = response == null || response.code() == 404;
            if (response == null && isRejected()) {
                rejection =
                        refuse(identity, false, true, call.registry() + " rejects " + CREDENTIAL + "; check it", null);
            } else if (response != null && response.isSuccessful()) {
                parts.ledger.prove(identity);
            }
            return response;
        } finally {
            release(lock);
        }
    }

    /**
     * Whether a registry that refused a request does not know the credential at all. Some answer 401 even if a valid
     * credential only lacks a permission; the root of the API, which needs none, shows which it is.
     */
    private boolean isRejected() throws IOException, InterruptedException {
        if (status != 401 || challenges.stream().anyMatch(Challenge::isBearer)) {
            return false;
        }
        if (call.target().equals(RegistryClient.ROOT)) {
            return true;
        }
        Request request = request(Call.ping(call.registry()));
        try (Response response = parts.transport.send(host, request, false, false, deadline)) {
            return response.code() == 401;
        }
    }

    private @Nullable Response exchange() throws NotAccepted, IOException, InterruptedException {
        Request request = request(call);
        Response first = answered(request);
        boolean bareRefusal = (first.code() == 401 || first.code() == 403)
                && isRefusal(first)
                && Challenge.parse(first.headers("WWW-Authenticate")).isEmpty();
        Response response = bareRefusal ? parts.transport.orGet(host, call, first, deadline) : first;
        if (!isRefusal(response)) {
            parts.noteShown(Objects.requireNonNull(request.tag(Claim.class)));
            return response;
        }
        try (response) {
            status = response.code();
            challenges = Challenge.parse(response.headers("WWW-Authenticate"));
            ErrorAnswer answer = ErrorAnswer.of(response).with(challenges);
            errors = answer.errors();
            specified = !challenges.isEmpty()
                    || answer.isSpecified()
                    || errors.stream().anyMatch(error -> !error.code().equals(OciError.UNKNOWN));
        }
        return null;
    }

    /** The answer; challenges of a host to which the registry redirected are answered. */
    private Response answered(Request request) throws NotAccepted, IOException, InterruptedException {
        Response response = parts.transport.send(host, request, call.streams(), false, deadline);
        if (!call.isRead()) {
            return response;
        }
        try {
            return parts.elsewhere.answer(host, response, call.streams(), deadline);
        } catch (TokenService.Refused e) {
            status = e.status();
            errors = e.errors();
            specified = e.isSpecified();
            String reason = Addresses.authority(response.request().url()) + ", to which the registry redirected, issues"
                    + " no token without credentials, and gets none from us; to use credentials for it, name that host in"
                    + " the reference";
            throw new NotAccepted(refuse(grant(), true, false, reason, e), false);
        }
    }

    /**
     * Whether an answer is about the credential: 401 and 403, and with ECR Public 400 without a challenge if a token
     * has expired. Other hosts to which the registry leads do not know our credential.
     */
    private boolean isRefusal(Response response) throws IOException {
        if (!Addresses.sameOrigin(response.request().url(), host.root())) {
            return false;
        }
        return switch (response.code()) {
            case 401, 403 -> true;
            case 400 ->
                (shown.isStale() || credential instanceof Credential.RegistryToken)
                        && call.isRead()
                        && response.header("WWW-Authenticate") == null;
            default -> false;
        };
    }

    private Request request(Call asked) throws IOException {
        HttpUrl root = host.root();
        HttpUrl url = root.resolve(asked.target());
        if (url == null) {
            throw new Violation("the registry led to " + asked.target() + ", which is not an http or https URL");
        }
        Request.Builder request = parts.transport.request(url).method(asked.method(), asked.body());
        asked.headers().forEach(header -> request.header(header.getFirst(), header.getSecond()));
        boolean shows = shown.header() != null && Addresses.sameOrigin(url, root);
        if (shows) {
            request.header("Authorization", Objects.requireNonNull(shown.header()));
        }
        return request.tag(Elsewhere.class, parts.elsewhere)
                .tag(Claim.class, Claim.identity(host.authority(), shows ? credential : new Credential.Anonymous()))
                .build();
    }

    private NotAccepted conclude() {
        if (shown.token() != null && shown.question() != null) {
            parts.tokens.drop(shown.question(), shown.token());
        }
        boolean own = shown.isCredentialItself();
        if (own && rejection != null) {
            return new NotAccepted(rejection, true);
        }
        boolean denied = status != 401 || own || challenges.stream().anyMatch(Challenge::saysInsufficientScope);
        boolean confirmed = shown.header() != null && !(credential instanceof Credential.Anonymous);
        return new NotAccepted(refuse(grant(), denied, confirmed, reason(denied), null), own);
    }

    private String reason(boolean denied) {
        if (credential instanceof Credential.Anonymous) {
            return denied
                    ? "this is not public, or does not exist; configure credentials for it"
                    : "the registry requires credentials, and none are configured for it";
        } else if (shown.header() == null) {
            return CREDENTIAL + " is of a kind that the registry does not accept";
        }
        return denied
                ? CREDENTIAL + " does not allow this, or this does not exist; grant it the permission"
                : "the registry does not accept the token that we obtained with " + CREDENTIAL
                        + ": it is wrong or does not allow this, or this does not exist";
    }
}
