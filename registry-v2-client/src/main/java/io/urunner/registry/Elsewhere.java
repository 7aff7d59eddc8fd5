package io.urunner.registry;

import io.urunner.registry.TokenService.Question;
import io.urunner.registry.auth.Credential;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Answers the challenges of hosts to which registries redirect, such as a gateway in front of another registry
 * (distribution, "Token Authentication Specification", with the host that challenges as the registry). A request that
 * is {@linkplain Request#tag tagged} with it brings along the token that such a host demanded before.
 *
 * <p>These tokens are always anonymous. Credentials of the registry are only for the registry. Nor is a credential sent
 * that is configured for the other host: the registry chooses the host and the path, so it would choose what is shown
 * to whom, and the answer would be passed off as the registry's own. Whoever wants the other host's private content
 * names that host in the reference. Thread-safe.
 */
final class Elsewhere {
    /** How many challenges of other hosts are answered for one request. */
    private static final int MOST_ANSWERS = 3;

    private static final int MOST_REMEMBERED = 1_000;
    private static final Pattern REPOSITORY = Pattern.compile("(?s)/v2/(.+?)/(manifests|blobs|tags|referrers)/.*");

    private final Transport transport;
    private final TokenService tokens;

    /** What hosts demanded, by host and repository. */
    private final LruMap<String, Question> demands = new LruMap<>(MOST_REMEMBERED, LruMap.LONGEST);

    Elsewhere(Transport transport, TokenService tokens) {
        this.transport = transport;
        this.tokens = tokens;
    }

    /** The authorization that a host demanded before, if it is still valid; otherwise null. */
    @Nullable String authorization(HttpUrl url) {
        Question question = demands.get(place(url));
        Token token = question == null ? null : tokens.kept(question);
        return token == null ? null : token.header();
    }

    /**
     * Answers challenges until another answer comes, or one that was answered already.
     *
     * @param registry the registry that redirected
     * @param first the request to the registry. If the other host leads back, the registry gets its credential again
     * @param refusal the answer of the other host; it is closed if there is a better one
     * @return the last answer; the caller closes it
     * @throws TokenService.Refused if the token server of the other host issues no anonymous token
     */
    Response answer(Host registry, Request first, Response refusal, boolean streams, Deadline deadline)
            throws TokenService.Refused, IOException, InterruptedException {
        Response response = refusal;
        Set<Question> answered = new HashSet<>();
        while (isChallenge(response) && answered.size() < MOST_ANSWERS) {
            HttpUrl url = response.request().url();
            Question question;
            Host host;
            try {
                question = Addresses.sameOrigin(url, registry.root()) ? null : question(response, url, registry);
                host = question == null ? registry : issuing(registry, url, question.realm());
            } catch (IOException e) {
                response.close();
                throw e;
            }
            if (question == null || !answered.add(question)) {
                return response;
            }
            response.close();
            dropIfSent(question, response.request());
            String header = tokens.get(question, host, deadline).header();
            demands.put(place(url), question);
            Request again = response.request()
                    .newBuilder()
                    .header("Authorization", header)
                    .tag(Request.class, first)
                    .build();
            response = transport.send(registry, again, streams, false, deadline);
        }
        return response;
    }

    /** A token without the permission may be answered with 403 (RFC 6750, section 3.1). */
    private static boolean isChallenge(Response response) {
        return response.code() == 401
                || (response.code() == 403
                        && Challenge.sayInsufficientScope(Challenge.parse(response.headers("WWW-Authenticate"))));
    }

    /** A token that was just refused is not sent again. */
    private void dropIfSent(Question question, Request request) {
        Token kept = tokens.kept(question);
        if (kept != null && kept.header().equals(request.header("Authorization"))) {
            tokens.drop(question, kept);
        }
    }

    /** What the first challenge demands that leads where we follow, or null if none demands a token. */
    private @Nullable Question question(Response response, HttpUrl url, Host registry) throws Violation {
        Violation unusable = null;
        for (Challenge challenge : Challenge.parse(response.headers("WWW-Authenticate"))) {
            HttpUrl named = challenge.isBearer() ? url.resolve(challenge.parameter("realm")) : null;
            if (named != null && !challenge.parameter("realm").isEmpty()) {
                HttpUrl realm = Addresses.realm(named, url);
                try {
                    issuing(registry, url, realm);
                    return new Question(
                            realm,
                            challenge.parameter("service"),
                            scopes(challenge.parameter("scope"), url),
                            new Credential.Anonymous());
                } catch (Violation e) {
                    unusable = e;
                }
            }
        }
        if (unusable != null) {
            throw unusable;
        }
        return null;
    }

    private static List<String> scopes(String challenged, HttpUrl url) {
        if (!challenged.isEmpty()) {
            return List.of(challenged.strip().split("\\s+", -1));
        }
        Matcher repository = REPOSITORY.matcher(url.encodedPath());
        return repository.matches() ? List.of(Call.scope(repository.group(1), "pull")) : List.of();
    }

    /** The other host, trusted to lead to its token server if it or the registry is. */
    private Host issuing(Host registry, HttpUrl url, HttpUrl realm) throws Violation {
        Hosts hosts = transport.hosts();
        Host other = hosts.companion(registry, url);
        String objection = hosts.objection(other, realm, url);
        if (objection == null) {
            return other;
        } else if (registry.trusts(realm) && hosts.objection(registry, realm, url) == null) {
            return other.trusting(realm);
        }
        throw new Violation(Addresses.authority(url) + ", to which the registry redirected, names a token server at "
                + realm.redact() + " that is not used: " + objection);
    }

    private static String place(HttpUrl url) {
        Matcher repository = REPOSITORY.matcher(url.encodedPath());
        return url.scheme() + "://" + Addresses.authority(url) + " "
                + (repository.matches() ? repository.group(1) : url.encodedPath());
    }
}
