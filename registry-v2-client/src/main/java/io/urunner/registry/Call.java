package io.urunner.registry;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import okhttp3.Headers;
import okhttp3.RequestBody;
import org.jspecify.annotations.Nullable;

/**
 * A request as an operation of the client wants it, before host, credentials and retries.
 *
 * @param what what it is for, in the terms of errors
 * @param method the HTTP method
 * @param target a path from the host's root, or a whole URL that the registry gave
 * @param headers the headers beside those that every request has
 * @param body the body, null for none
 * @param scopes what it needs to be allowed, as token servers name it; empty for what needs no more than an identity
 * @param transfer how much longer than another call it may take, for the content that it reads or writes
 */
record Call(
        FailedRequest what,
        String method,
        String target,
        Headers headers,
        @Nullable RequestBody body,
        List<String> scopes,
        Duration transfer) {
    static final Headers NO_HEADERS = Headers.of();

    /** A call on a repository that needs the given rights there. */
    static Call on(
            Repository repository,
            String action,
            Optional<String> reference,
            String method,
            String path,
            String rights) {
        return new Call(
                new FailedRequest(
                        action,
                        repository.registry(),
                        Optional.of(repository.name()),
                        reference,
                        OptionalInt.empty(),
                        List.of()),
                method,
                "/v2/" + repository.name() + path,
                NO_HEADERS,
                null,
                List.of(scope(repository.name(), rights)),
                Duration.ZERO);
    }

    /** The question whether a registry is there and lets us in. */
    static Call ping(String registry) {
        return new Call(
                FailedRequest.of("ask", registry),
                "GET",
                RegistryClient.ROOT,
                NO_HEADERS,
                null,
                List.of(),
                Duration.ZERO);
    }

    static String scope(String repository, String rights) {
        return "repository:" + repository + ":" + rights;
    }

    Call with(Headers newHeaders) {
        return new Call(what, method, target, newHeaders, body, scopes, transfer);
    }

    Call with(RequestBody newBody) {
        return new Call(what, method, target, headers, newBody, scopes, transfer);
    }

    Call with(List<String> newScopes) {
        return new Call(what, method, target, headers, body, newScopes, transfer);
    }

    Call by(String newMethod) {
        return new Call(what, newMethod, target, headers, body, scopes, transfer);
    }

    Call at(String newTarget) {
        return new Call(what, method, newTarget, headers, body, scopes, transfer);
    }

    Call with(Duration newTransfer) {
        return new Call(what, method, target, headers, body, scopes, newTransfer);
    }

    boolean streams() {
        return !transfer.isZero();
    }

    String registry() {
        return what.registry();
    }

    /** The repository's name, or the empty text for what concerns the whole registry. */
    String repository() {
        return what.repository().orElse("");
    }

    String joinedScopes() {
        return String.join(" ", scopes);
    }

    /** What it needs where, as a key. */
    String need() {
        return registry() + " " + joinedScopes();
    }

    /** The error for an answer that breaks the protocol. */
    ProtocolViolationException violated(int status, String reason, @Nullable Throwable cause) {
        return new ProtocolViolationException(what.answered(status, List.of()), reason, cause);
    }

    /** Whether Docker Hub counts it against the limit of pulls, which a {@code HEAD} does not. */
    boolean countsAsPull() {
        return Repository.isDockerHub(registry()) && !method.equals("HEAD");
    }

    boolean isRead() {
        return method.equals("GET") || method.equals("HEAD");
    }
}
