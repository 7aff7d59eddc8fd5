package io.urunner.registry;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import okhttp3.Headers;
import okhttp3.RequestBody;
import org.jspecify.annotations.Nullable;

/**
 * A request of an operation of the client, before host, credentials and retries are decided.
 *
 * @param what the operation, for errors
 * @param method the HTTP method
 * @param target a path from the host's root, or a whole URL from the registry
 * @param headers the headers in addition to those of every request
 * @param body the body, or null for none
 * @param scopes the permissions that it needs, in the terms of token servers; empty if it needs only an identity
 * @param transfer how much longer than other calls it may take, for the content that it reads or writes
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

    /** A call on a repository that needs the given permissions there. */
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

    /** Checks that a registry is there and grants access. */
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

    /** The {@code GET} that says what this {@code HEAD} should have said; of a blob, one byte is enough. */
    Call insteadOfHead() {
        Call get = by("GET");
        return isAboutBlob()
                ? get.with(headers.newBuilder().set("Range", "bytes=0-0").build())
                : get;
    }

    boolean isAboutBlob() {
        return target.contains("/blobs/");
    }

    Call at(String newTarget) {
        return new Call(what, method, newTarget, headers, body, scopes, transfer);
    }

    Call with(Duration newTransfer) {
        return new Call(what, method, target, headers, body, scopes, newTransfer);
    }

    /** The same request to a mirror, with the registry's name. Scopes and errors are those of the mirror. */
    Call at(Mirror mirror) {
        String repository = mirror.prefix() + repository();
        FailedRequest there = new FailedRequest(
                what.action(),
                mirror.host(),
                Optional.of(repository),
                what.reference(),
                OptionalInt.empty(),
                List.of());
        String rest = target.substring(RegistryClient.ROOT.length());
        return new Call(
                there,
                method,
                mirror.root() + rest + "?ns=" + URLEncoder.encode(registry(), StandardCharsets.UTF_8),
                headers,
                body,
                List.of(scope(repository, "pull")),
                transfer);
    }

    /** The digest that it asks for, if it does. */
    Optional<String> digest() {
        Optional<String> reference = what.reference();
        return reference.isPresent() && reference.get().indexOf(':') >= 0 ? reference : Optional.empty();
    }

    boolean isByDigest() {
        return digest().isPresent();
    }

    boolean streams() {
        return !transfer.isZero();
    }

    String registry() {
        return what.registry();
    }

    /** The repository's name, or the empty text if the call concerns the whole registry. */
    String repository() {
        return what.repository().orElse("");
    }

    String joinedScopes() {
        return String.join(" ", scopes);
    }

    /** The permissions that it needs and where, as a key. */
    String need() {
        return registry() + " " + joinedScopes();
    }

    /** The error for an answer that violates the protocol. */
    ProtocolViolationException violated(int status, String reason, @Nullable Throwable cause) {
        return new ProtocolViolationException(what.answered(status, List.of()), reason, cause);
    }

    /** Rejects content that could not be verified once it is read. */
    void requireVerifiable(Digest digest) throws ProtocolViolationException {
        if (!digest.isVerifiable()) {
            throw new ProtocolViolationException(
                    what,
                    "content with this digest cannot be verified, so it is not read; only sha256 and sha512 are supported",
                    null);
        }
    }

    /** Whether Docker Hub counts it as a pull, which it does not for {@code HEAD}. */
    boolean countsAsPull() {
        return Repository.isDockerHub(registry()) && !method.equals("HEAD");
    }

    boolean isRead() {
        return isRead(method);
    }

    static boolean isRead(String method) {
        return method.equals("GET") || method.equals("HEAD");
    }
}
