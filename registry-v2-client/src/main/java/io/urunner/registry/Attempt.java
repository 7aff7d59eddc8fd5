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
import java.util.Set;
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
    /** How reasons refer to the credential. */
    private static final String CREDENTIAL = "the credential";

    /** How many challenges of the registry are answered: the second must demand something else. */
    private static final int MOST_ANSWERS = 2;

    private final Authorizer parts;
    private final Set<Integer> expected;
    private final Credential credential;
    private final Deadline deadline;
    private final AuthHints hints;
    private final Host host;

    /** The token server that the provider names, or null to use the one that the registry names. */
    private final @Nullable HttpUrl endpoint;

    /** What is sent: the call, or {@code GET} once that has shown that {@code HEAD} is wrong. */
    private Call call;

    /** The {@code HEAD} in place of which {@code GET} is sent. */
    private @Nullable Call head;

    /** The value of {@code Authorization} that is sent, or null for none. */
    private @Nullable String header;

    /** The token that is sent, and what it was requested for; null if the credential itself is sent. */
    private @Nullable Token token;

    private @Nullable Question question;

    /** Whether the token was obtained for this call; an earlier one may have been revoked or have expired early. */
    private boolean fresh;

    private boolean wrong;
    private @Nullable RegistryException rejection;
    private int status;
    private List<Challenge> challenges = List.of();
    private List<OciError> errors = List.of();

    /** Whether the last refusal has the form of a registry's or token server's own. */
    private boolean specified;

    /** Whether the credential itself was sent to the registry. */
    private boolean sentItself;

    Attempt(Authorizer parts, Call call, Set<Integer> expected, Credential credential, Deadline deadline) {
        this.parts = parts;
        this.call = call;
        this.expected = expected;
        this.credential = credential;
        this.deadline = deadline;
        this.hints = parts.provider.hints(call.registry());
        this.host = parts.transport.hosts().of(call.registry());
        this.endpoint = hints.tokenEndpoint().isPresent()
                ? HttpUrl.get(hints.tokenEndpoint().get())
                : null;
    }

    /**
     * Sends the call.
     *
     * @return the answer; the caller closes it
     * @throws NotAccepted if the credential is not accepted
     */
    Response send() throws NotAccepted, RegistryException, IOException, InterruptedException {
        throwIfRefused(grant());
        chooseFirst();
        Response response = show();
        for (int answered = 0; response == null && answered < MOST_ANSWERS && chooseBetter(); answered++) {
            response = show();
        }
        if (response == null) {
            throw conclude();
        }
        parts.ledger.grant(grant());
        return response;
    }

    /** Whether the credential itself is sent, and no token. */
    private boolean sendsItself() {
        return header != null && token == null;
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
        FailedRequest what = call.what().answered(refusal.status, refusal.errors);
        String reason = named(refusal.reason)
                + (credential instanceof Credential.Anonymous
                        ? "; it is not asked again before "
                        : "; the same credentials are not tried again before ")
                + refusal.until.truncatedTo(ChronoUnit.SECONDS);
        throw new NotAccepted(error(what, reason, refusal.denied, !refusal.specified, null), false);
    }

    static RegistryException error(
            FailedRequest what, String reason, boolean denied, boolean mayPass, @Nullable Throwable cause) {
        return denied
                ? new DeniedException(what, reason, cause, mayPass)
                : new UnauthorizedException(what, reason, cause, mayPass);
    }

    /** Records that a claim was refused; {@code confirmed} says whether that is final if it is the registry's own word. */
    private RegistryException refuse(
            Claim claim, boolean denied, boolean confirmed, String reason, @Nullable Throwable cause) {
        parts.ledger.refuse(claim, status, errors, denied, specified, confirmed, reason);
        return error(call.what().answered(status, errors), named(reason), denied, !specified, cause);
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
                throw new NotAccepted(error(call.what(), named(reason), false, false, null), false);
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
    private void chooseFirst() throws NotAccepted, IOException, InterruptedException, RegistryException {
        if (credential instanceof Credential.RegistryToken own) {
            header = "Bearer " + own.token().reveal();
            return;
        }
        ChallengeMemory.Demand demand = parts.memory.of(call, hints);
        if (credential instanceof Credential.Basic basic) {
            boolean directly = hints.basicDirectly() && (demand == null || !demand.basicRefused());
            if (directly || (demand != null && demand.realm() == null)) {
                chooseBasic(basic);
                return;
            }
        }
        if (demand != null && demand.realm() != null) {
            chooseToken(new Question(demand.realm(), demand.service(), parts.memory.scopes(call, demand), credential));
        }
    }

    private void chooseBasic(Credential.Basic basic) {
        header = TokenService.basic(basic.user(), basic.password());
        token = null;
        question = null;
    }

    /** Chooses what to send after a refusal, and returns whether there is anything better. */
    private boolean chooseBetter() throws NotAccepted, RegistryException, IOException, InterruptedException {
        if (credential instanceof Credential.RegistryToken) {
            return false;
        }
        // A token without the permission may be answered with 403 (RFC 6750, section 3.1).
        if (status == 401 || Challenge.sayInsufficientScope(challenges)) {
            boolean basicHelps = credential instanceof Credential.Basic
                    && !sentItself
                    && Challenge.anyIs(Challenge.BASIC, challenges);
            FailedRequest what = call.what().answered(status, errors);
            ProtocolViolationException unusable = null;
            for (Challenge challenge : challenges) {
                String named = challenge.parameter("realm");
                if (challenge.isBearer() && !named.isEmpty()) {
                    HttpUrl realm = realm(named);
                    String objection = realm == null
                            ? "it is not an http or https URL"
                            : endpoint != null ? null : parts.transport.hosts().objection(host, realm, host.root());
                    if (realm != null && objection == null) {
                        return answer(challenge, realm);
                    }
                    unusable = new ProtocolViolationException(
                            what,
                            "the registry names a token server" + (realm == null ? "" : " at " + realm.redact())
                                    + " that is not used: " + objection,
                            null);
                }
            }
            if (basicHelps) {
                if (header == null) {
                    parts.memory.learn(call, hints, new ChallengeMemory.Demand(null, "", null, false));
                }
                chooseBasic((Credential.Basic) credential);
                return true;
            } else if (unusable != null) {
                throw unusable;
            }
        }
        return renews();
    }

    /** Gets another token instead of an earlier one, and returns whether there was one. */
    private boolean renews() throws NotAccepted, IOException, InterruptedException, RegistryException {
        Question asked = question;
        Token stale = token;
        if (asked == null || stale == null || fresh) {
            return false;
        }
        parts.tokens.drop(asked, stale);
        chooseToken(asked);
        return true;
    }

    /** Gets the token that a challenge demands, and returns whether it is another one than was sent. */
    private boolean answer(Challenge challenge, HttpUrl realm)
            throws NotAccepted, IOException, InterruptedException, RegistryException {
        String scope = challenge.parameter("scope");
        String service = challenge.parameter("service");
        ChallengeMemory memory = parts.memory;
        Question demanded = new Question(realm, service, memory.scopes(call, scope), credential);
        ChallengeMemory.Demand earlier = memory.of(call, hints);
        boolean basicRefused = sendsItself() || (earlier != null && earlier.basicRefused());
        boolean differs = !demanded.equals(question);
        if (differs) {
            chooseToken(demanded);
        } else {
            differs = renews();
        }
        // Only once it worked: what one repository demands is also requested for the others of the registry.
        memory.learn(
                call, hints, new ChallengeMemory.Demand(realm, service, ChallengeMemory.opaque(scope), basicRefused));
        return differs;
    }

    private @Nullable HttpUrl realm(String named) throws IOException {
        if (endpoint != null) {
            return endpoint;
        }
        HttpUrl realm = host.root().resolve(named);
        return realm == null ? null : Addresses.realm(realm, host.root());
    }

    /** Chooses a token to send; if none is kept, it is fetched. */
    private void chooseToken(Question wanted) throws NotAccepted, IOException, InterruptedException, RegistryException {
        Token kept = parts.tokens.kept(wanted);
        fresh = kept == null;
        token = kept == null ? fetched(wanted) : kept;
        question = wanted;
        header = token.header();
    }

    private Token fetched(Question wanted) throws NotAccepted, IOException, InterruptedException, RegistryException {
        Claim identity = Claim.identity(Addresses.authority(wanted.realm()), credential);
        boolean anonymous = credential instanceof Credential.Anonymous;
        ReentrantLock lock = anonymous ? null : hold(identity);
        try {
            Token issued = parts.tokens.get(wanted, endpoint == null ? host : host.trusting(endpoint), deadline);
            if (!anonymous) {
                parts.ledger.prove(identity);
            }
            return issued;
        } catch (TokenService.Refused e) {
            throw refusedByIssuer(wanted, identity, e);
        } finally {
            release(lock);
        }
    }

    /**
     * Records a token server's refusal. 401 is about the credential, once it is {@linkplain CredentialLedger#blame
     * confirmed}. So is a bare 403, which is how addresses are banned; with {@code DENIED}, only this request is denied,
     * and another repository may be allowed.
     */
    private NotAccepted refusedByIssuer(Question asked, Claim identity, TokenService.Refused refused)
            throws ProtocolViolationException {
        status = refused.status();
        errors = refused.errors();
        specified = refused.isSpecified();
        String issuer = "the token server " + Addresses.authority(asked.realm());
        boolean denied = status == 403;
        if (status != 401 && !denied && !refused.rejects()) {
            throw new ProtocolViolationException(
                    call.what().answered(status, errors),
                    issuer + " does not understand the request for " + String.join(" ", asked.scopes()),
                    refused);
        }
        CredentialLedger.Blame blame = new CredentialLedger.Blame(grant(), false);
        String reason;
        if (credential instanceof Credential.Anonymous) {
            reason = issuer + " issues no token without credentials, and none are configured for it";
        } else if (!denied) {
            blame = parts.ledger.blame(identity, grant());
            reason = issuer + " rejects " + CREDENTIAL
                    + (credential instanceof Credential.IdentityToken
                            ? "; it has expired or was revoked: log in again"
                            : "; check it");
        } else if (OciError.anyIs(errors, Set.of("DENIED"))) {
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
        return new NotAccepted(refuse(blame.claim, denied, blame.confirmed, reason, refused), true);
    }

    /** Returns the answer, or null after recording what a refusal says. */
    private @Nullable Response show() throws NotAccepted, IOException, InterruptedException {
        if (!sendsItself()) {
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
        if (status != 401 || Challenge.anyIs(Challenge.BEARER, challenges)) {
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
        parts.heads.note(call, first, null);
        // A token that has expired says nothing about HEAD.
        boolean expired = first.code() == 400 && isRefusal(first);
        Response response = !expired && parts.heads.isDoubtful(call, first, expected) ? orGet(first) : first;
        TransientFailure limit = TransientFailure.limit(call.registry(), response, parts.clock.instant());
        if (limit != null || !isRefusal(response)) {
            parts.noteShown(Objects.requireNonNull(request.tag(Claim.class)));
            if (limit != null) {
                response.close();
                throw limit;
            }
            if (head != null && Heads.works(response)) {
                parts.heads.rememberWrong(head);
            }
            return response;
        }
        try (response) {
            status = response.code();
            challenges = Challenge.parse(response.headers("WWW-Authenticate"));
            ErrorAnswer answer = ErrorAnswer.of(response).with(challenges);
            errors = answer.errors();
            // Gateways have challenges of their own, such as Negotiate.
            specified = Challenge.anyIs(Challenge.BASIC, challenges)
                    || Challenge.anyIs(Challenge.BEARER, challenges)
                    || answer.isSpecified()
                    || answer.namesCode();
        }
        return null;
    }

    /** The answer to a doubtful {@code HEAD}, or the one to {@code GET} with the same authorization if that counts. */
    private Response orGet(Response failed) throws NotAccepted, IOException, InterruptedException {
        Call get = call.insteadOfHead();
        boolean keep = false;
        try {
            Response answer = answered(request(get));
            parts.heads.note(call, failed, answer);
            if (parts.heads.outweighs(answer, call, failed)) {
                head = call;
                call = get;
                return answer;
            }
            answer.close();
            keep = true;
        } catch (IOException e) {
            // A request that breaks off must not hide what the status says.
            keep = parts.heads.suffices(call, failed);
            if (!keep) {
                throw e;
            }
        } finally {
            if (!keep) {
                failed.close();
            }
        }
        return failed;
    }

    /** The answer; challenges of a host to which the registry redirected are answered. */
    private Response answered(Request request) throws NotAccepted, IOException, InterruptedException {
        Response response = parts.transport.send(host, request, call.streams(), false, deadline);
        if (!call.isRead()) {
            return response;
        }
        try {
            return parts.elsewhere.answer(host, request, response, call.streams(), deadline);
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
                ((token != null && !fresh) || credential instanceof Credential.RegistryToken)
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
        Transport.addTo(request, asked.headers());
        String authorization = Addresses.sameOrigin(url, root) ? header : null;
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return request.tag(Elsewhere.class, parts.elsewhere)
                .tag(
                        Claim.class,
                        Claim.identity(
                                host.authority(), authorization != null ? credential : new Credential.Anonymous()))
                .build();
    }

    private NotAccepted conclude() {
        if (token != null && question != null) {
            parts.tokens.drop(question, token);
        }
        boolean own = sendsItself();
        if (own && rejection != null) {
            return new NotAccepted(rejection, true);
        }
        boolean denied = status != 401 || own || Challenge.sayInsufficientScope(challenges);
        boolean confirmed = header != null && !(credential instanceof Credential.Anonymous);
        return new NotAccepted(refuse(grant(), denied, confirmed, reason(denied), null), own);
    }

    private String reason(boolean denied) {
        if (credential instanceof Credential.Anonymous) {
            return denied
                    ? "this is not public, or does not exist; configure credentials for it"
                    : "the registry requires credentials, and none are configured for it";
        } else if (header == null) {
            return CREDENTIAL + " is of a kind that the registry does not accept";
        }
        return denied
                ? CREDENTIAL + " does not allow this, or this does not exist; grant it the permission"
                : "the registry does not accept the token that we obtained with " + CREDENTIAL
                        + ": it is wrong or does not allow this, or this does not exist";
    }
}
