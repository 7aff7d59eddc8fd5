package io.urunner.registry;

import io.urunner.registry.auth.CredentialProvider;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Makes calls until they succeed, fail for good, or run out of time, and explains failures. Thread-safe. */
final class Caller {
    /** When to retry after 429 if the registry does not say when. */
    private static final Duration GUESS = Duration.ofSeconds(60);

    /** OkHttp's words for a proxy that does not connect to a host; the status follows. */
    private static final String NO_TUNNEL = "Unexpected response code for CONNECT: ";

    /** What a repeated deletion may be answered: an earlier attempt, whose answer was lost, deleted it. */
    private static final Set<Integer> GONE = Set.of(404, 410);

    private final Authorizer authorizer;
    private final RetryPolicy policy;
    private final Duration budget;
    private final InstantSource clock;
    private final LongSupplier ticker;
    private final Sleeper sleeper;
    final RegistryObserver observer;
    private final Mirrors mirrors;

    Caller(
            Authorizer authorizer,
            RetryPolicy policy,
            Duration budget,
            InstantSource clock,
            LongSupplier ticker,
            Sleeper sleeper,
            RegistryObserver observer,
            Mirrors mirrors) {
        this.authorizer = authorizer;
        this.policy = policy;
        this.budget = budget;
        this.clock = clock;
        this.ticker = ticker;
        this.sleeper = sleeper;
        this.observer = observer;
        this.mirrors = mirrors;
    }

    /** A caller that uses other credentials. */
    Caller with(CredentialProvider credentials) {
        return new Caller(
                new Authorizer(authorizer, credentials),
                policy,
                budget,
                clock,
                ticker,
                sleeper,
                observer,
                new Mirrors(mirrors));
    }

    /** A caller whose operations have another deadline. */
    Caller within(Duration newBudget) {
        return new Caller(authorizer, policy, newBudget, clock, ticker, sleeper, observer, mirrors);
    }

    Authorizer authorizer() {
        return authorizer;
    }

    /** The host of a registry. */
    Host host(String registry) {
        return authorizer.transport.hosts().of(registry);
    }

    /** The ticker's nanoseconds. */
    long ticks() {
        return ticker.getAsLong();
    }

    /** Returns the answer to a call if it is a success; every other status is an error. */
    Response call(Call call) throws RegistryException, InterruptedException {
        return call(call, Set.of());
    }

    /**
     * Returns the answer to a call.
     *
     * @param expected the statuses that are not errors here, in addition to those of success
     * @return the answer; the caller closes it
     */
    Response call(Call call, Set<Integer> expected) throws RegistryException, InterruptedException {
        return call(call, expected, new Deadline(ticker, budget, call.transfer()));
    }

    /** Waits before something is looked at again. */
    void pause(Duration duration) throws InterruptedException {
        sleeper.sleep(duration.plusNanos(
                Math.round(duration.toNanos() * ThreadLocalRandom.current().nextDouble())));
    }

    /**
     * Returns the answer to a call that reads a manifest or a blob: of the first of the registry's mirrors that has it,
     * or else of the registry. What is read to be written afterwards is not asked in this way: a mirror may be behind.
     *
     * @param blob the blob that is read, or null for a manifest
     * @param expected the statuses that are not errors here, in addition to those of success
     */
    Response pull(Call call, @Nullable Descriptor blob, Set<Integer> expected, Deadline deadline)
            throws RegistryException, InterruptedException {
        return mirrors.pull(this, call, blob, expected, deadline);
    }

    /** The same for a blob, with a deadline of its own. */
    Response pull(Call call, Descriptor blob) throws RegistryException, InterruptedException {
        return pull(call, blob, Set.of(), new Deadline(ticker, budget, call.transfer()));
    }

    List<Mirror> mirrors(String registry) {
        return host(registry).options().mirrors();
    }

    /** The mirror that answered last for a registry, or nothing, and why others did not. */
    Map.Entry<String, String> mirrorOf(String registry) {
        return mirrors.lastOf(registry);
    }

    Map.Entry<String, String> mirrorOf(ImageReference image) {
        return mirrors.lastOf(image);
    }

    /** A part of what is left of a deadline, for one of several hosts that are asked in turn. */
    Deadline share(Deadline whole, int parts, Call call) {
        return new Deadline(ticker, whole.remaining().dividedBy(parts), call.transfer());
    }

    /** A deadline for an operation of several calls. */
    Deadline deadline() {
        return new Deadline(ticker, budget, Duration.ZERO);
    }

    /** A deadline for an operation of several calls that moves content, which takes so much longer. */
    Deadline longer(Duration transfer) {
        return new Deadline(ticker, budget.plus(transfer), Duration.ZERO);
    }

    /** The deadline of one call of an operation. */
    Deadline within(Deadline operation, Call call) {
        Duration left = operation.remaining();
        return new Deadline(ticker, left.compareTo(budget) < 0 ? left : budget, call.transfer());
    }

    Response call(Call call, Set<Integer> expected, Deadline deadline) throws RegistryException, InterruptedException {
        Heads heads = authorizer.heads;
        Retries retries = new Retries(deadline);
        Set<Integer> accepted = expected;
        boolean last = false;
        while (true) {
            Call asked = last ? call.insteadOfHead() : heads.asked(call);
            try {
                Response response = once(asked, accepted, deadline);
                if (!last && !asked.method().equals(call.method()) && Heads.works(response)) {
                    heads.rememberWrong(call);
                }
                return response;
            } catch (IOException e) {
                heads.failed(asked, e, deadline);
                retries.pause(call, e, deadline.asked());
                last = retries.isLast() && Heads.endsWithGet(call, e, deadline);
                if (deadline.sent().equals("DELETE") && mayHaveWorked(e)) {
                    accepted = GONE;
                }
            }
        }
    }

    /** Whether a registry that got a request may have done what was asked, although it did not say so. */
    private static boolean mayHaveWorked(IOException failure) {
        return !(failure instanceof TransientFailure answered) || answered.status() >= 500;
    }

    /**
     * Sends a call once.
     *
     * @param expected the statuses that are not errors here, in addition to those of success
     * @return the answer; the caller closes it
     * @throws IOException if another attempt may succeed
     */
    Response once(Call call, Set<Integer> expected, Deadline deadline)
            throws RegistryException, IOException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted before asking " + call.registry());
        }
        try {
            Response response = authorizer.send(call, expected, deadline);
            if (!RetryPolicy.isTransient(response.code()) || expected.contains(response.code())) {
                return checked(call, response, expected);
            }
            try (response) {
                throw TransientFailure.of(call.registry(), response, clock.instant());
            }
        } catch (Violation e) {
            throw new ProtocolViolationException(call.what(), String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * The attempts at one operation, of one request or several: the only place that decides whether something is sent
     * again. Used by one thread.
     */
    final class Retries {
        /** How many failures there may be in total: progress of one byte at a time is none. */
        private static final int MOST = 100;

        private final Deadline end;
        private int attempt;
        private int failures;
        private boolean renewed;

        Retries(Deadline end) {
            this.end = end;
        }

        /** The operation has advanced: what failed before no longer counts. */
        void progressed() {
            attempt = 0;
        }

        /** Whether the attempts are used up if the next one fails. */
        boolean isLast() {
            return attempt + 1 == policy.attempts();
        }

        /**
         * Waits until the next attempt.
         *
         * @param host the host that failed
         * @throws RegistryException if there is no next attempt
         */
        void pause(Call call, IOException failure, String host) throws RegistryException, InterruptedException {
            IOException reason = failure;
            if (failure instanceof StaleConnection stale) {
                reason = stale.reason();
                if (!renewed) {
                    renewed = true;
                    // It says nothing about the host, so that even who wants no retries gets this one.
                    attempt += policy.attempts() > 1 ? 1 : 0;
                    observer.retried(
                            call.registry(), Math.max(1, attempt), Duration.ZERO, "the host had closed the connection");
                    return;
                }
            }
            attempt++;
            failures++;
            // Neither a certificate nor a proxy's password changes by itself, and a proxy may lock an account.
            Optional<Duration> delay =
                    failures > MOST || isCertificateTrouble(reason) || reason instanceof ProxyLogin.Refused
                            ? Optional.empty()
                            : policy.delay(
                                    attempt,
                                    retryAfter(reason),
                                    end.remaining(),
                                    ThreadLocalRandom.current().nextDouble());
            if (delay.isEmpty()) {
                throw error(call, reason, host);
            }
            observer.retried(
                    call.registry(), attempt, delay.get(), Bodies.printable(String.valueOf(reason.getMessage())));
            sleeper.sleep(delay.get());
        }
    }

    private static Optional<Duration> retryAfter(IOException failure) {
        return failure instanceof TransientFailure answered ? answered.retryAfter() : Optional.empty();
    }

    private static boolean isCertificateTrouble(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof SSLPeerUnverifiedException) {
                return true;
            }
        }
        return false;
    }

    private static Response checked(Call call, Response response, Set<Integer> expected) throws RegistryException {
        if (response.isSuccessful() || expected.contains(response.code())) {
            return response;
        }
        try (response) {
            List<OciError> errors = ErrorAnswer.of(response).errors();
            throw refused(
                    call.what().answered(response.code(), errors),
                    response.request().url().host());
        }
    }

    /** The error for an answer that no other attempt would change. */
    static RegistryException refused(FailedRequest what, String host) {
        int status = what.status().orElse(0);
        boolean unsupported = OciError.anyIs(what.errors(), Set.of("UNSUPPORTED"));
        return switch (unsupported && status != 401 && status != 403 ? 405 : status) {
            case 404, 410 ->
                new NotFoundException(
                        what,
                        "it does not exist, or the credentials have no access to it; check the name and the permissions",
                        null);
            case 401, 403 ->
                new DeniedException(what, host + ", to which the registry redirected, does not allow this", null);
            case 412, 451 -> new DeniedException(what, "a policy of the registry forbids this", null);
            case 405, 501 -> new ProtocolViolationException(what, "the registry does not support this", null);
            default -> new ProtocolViolationException(what, "the registry's answer does not follow the protocol", null);
        };
    }

    RegistryException error(Call call, IOException failure, String host) {
        if (failure instanceof TransientFailure answered) {
            Instant now = clock.instant();
            Instant retryAt = answered.retryAfter().isPresent()
                    ? now.plus(answered.retryAfter().get())
                            .plusNanos(999_999_999)
                            .truncatedTo(ChronoUnit.SECONDS) // the precision of the message
                    : null;
            FailedRequest what = call.what().answered(answered.status(), answered.errors());
            if (answered.isLimit()) {
                Instant moment = retryAt != null ? retryAt : now.plus(GUESS);
                String until = retryAt != null ? "; try again at " + retryAt : "";
                return new RateLimitedException(what, "too many requests" + until, moment, retryAt != null, failure);
            }
            String whose = answered.status() < 500 ? "" : ", which is an error on its side";
            return new UnavailableException(what, failure.getMessage() + whose + "; try again later", retryAt, failure);
        }
        return new UnavailableException(call.what(), words(host, failure), null, failure);
    }

    /** The error for an answer whose body could not be read or understood. */
    RegistryException broken(Call call, Exception failure) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted while reading the answer of " + call.registry());
        }
        return failure instanceof IOException broken && !(failure instanceof Violation)
                ? error(call, broken, call.registry())
                : call.violated(200, "the answer is unusable: " + failure.getMessage(), failure);
    }

    private static String words(String host, IOException failure) {
        @Nullable String detail = failure.getMessage();
        if (failure instanceof ProxyLogin.Refused) {
            return String.valueOf(detail);
        } else if (isCertificateTrouble(failure)) {
            return "the certificate of " + host + " is not trusted: " + detail
                    + "; configure its authority (HostOptions.withAuthorities), or accept any certificate for this host"
                    + " (HostOptions.withInsecureTls)";
        } else if (failure instanceof SSLException) {
            return host + " does not speak TLS in a way that we support: " + detail
                    + "; if it is a plain http registry, allow plain http for this host: plainHttp"
                    + " (HostOptions.withPlainHttp)";
        } else if (failure instanceof UnknownHostException) {
            return "the host is unknown: " + detail;
        } else if (failure instanceof ConnectException || failure instanceof NoRouteToHostException) {
            @Nullable Throwable cause = failure.getCause(); // says why, without the address again
            return host + " cannot be reached: " + (cause == null ? detail : cause.getMessage());
        } else if (failure instanceof SocketTimeoutException || failure instanceof java.io.InterruptedIOException) {
            return host + " did not answer in time: " + detail;
        }
        if (detail != null && detail.startsWith(NO_TUNNEL)) {
            return host + " cannot be reached: the proxy refuses to connect to it, status "
                    + detail.substring(NO_TUNNEL.length());
        }
        return "the connection failed: " + (detail == null ? failure : detail);
    }
}
