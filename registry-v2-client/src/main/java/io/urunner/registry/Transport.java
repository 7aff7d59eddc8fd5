package io.urunner.registry;

import io.urunner.registry.CredentialLedger.Claim;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import okhttp3.Headers;
import okhttp3.HttpUrl;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends single requests: within a host's concurrency and the deadline, following redirects by our rules, and recording
 * what every answer says in addition to its content. Thread-safe.
 */
final class Transport {
    private static final Logger LOG = LoggerFactory.getLogger(Transport.class);
    private static final int MOST_REDIRECTS = 5;
    private static final int MOST_REMEMBERED = 1000;

    private static final String AUTHORIZATION = "Authorization";

    private final InstantSource clock;
    private final LongSupplier ticker;
    private final RegistryObserver observer;
    private final LruMap<Claim, RateLimit> rateLimits = new LruMap<>(MOST_REMEMBERED);
    private final LruMap<String, Boolean> warnings = new LruMap<>(MOST_REMEMBERED);
    private final Hosts hosts;

    /** Since when registries are known to miss content that is sent with {@code PUT}: they get it with {@code PATCH}. */
    final LruMap<String, Long> missPuts = new LruMap<>(MOST_REMEMBERED);

    private final String userAgent;
    private final RequestRate rate;

    Transport(
            Hosts hosts,
            String userAgent,
            RequestRate rate,
            InstantSource clock,
            LongSupplier ticker,
            RegistryObserver observer) {
        this.hosts = hosts;
        this.userAgent = userAgent;
        this.rate = rate;
        this.clock = clock;
        this.ticker = ticker;
        this.observer = observer;
    }

    Hosts hosts() {
        return hosts;
    }

    /**
     * What a host last said about the limit of a credential with which {@linkplain Request#tag requests} were tagged.
     */
    @Nullable RateLimit rateLimit(Claim identity) {
        return rateLimits.get(identity);
    }

    /** Replaces the headers of a request. */
    static void addTo(Request.Builder request, Headers headers) {
        for (int i = 0; i < headers.size(); i++) {
            request.header(headers.name(i), headers.value(i));
        }
    }

    /** Starts a request with the headers that all our requests have. */
    Request.Builder request(HttpUrl url) {
        return new Request.Builder().url(url).header("User-Agent", userAgent).header("Accept-Encoding", "identity");
    }

    /**
     * Sends a request and follows redirects. {@code Authorization} is sent only to the origin of the request.
     *
     * @param origin the host of the registry
     * @param request the request, to the registry or to a host to which it led
     * @param keepsCredentials whether a redirect to another origin is an error instead of being followed without
     *     credentials
     * @return the answer; the caller closes it
     * @throws Violation if a redirect leads where we do not follow
     */
    Response send(Host origin, Request request, boolean streams, boolean keepsCredentials, Deadline deadline)
            throws IOException, InterruptedException {
        Request current = request;
        for (int hop = 0; ; hop++) {
            Response response = exchange(hosts.companion(origin, current.url()), current, streams, deadline);
            HttpUrl next = redirect(origin, response, current);
            if (next == null) {
                return response;
            }
            response.close();
            String from = "the redirect from " + current.url().redact() + " to " + next.redact() + " is not followed: ";
            if (hop == MOST_REDIRECTS) {
                throw new Violation(from + "there were already " + MOST_REDIRECTS + " redirects");
            } else if (next.equals(current.url())) {
                throw new Violation(from + "it leads to itself");
            }
            String objection = hosts.objection(origin, next, request.url());
            boolean leaves = !Addresses.sameOrigin(next, request.url());
            if (objection == null && leaves && keepsCredentials) {
                objection = "the credentials are only for the original host";
            }
            if (objection != null) {
                throw new Violation(from + objection);
            }
            Request.Builder builder = request.newBuilder().url(next);
            if (leaves) {
                builder.removeHeader(AUTHORIZATION);
                Elsewhere elsewhere = request.tag(Elsewhere.class);
                Request first = request.tag(Request.class);
                String demanded = first != null && Addresses.sameOrigin(next, first.url())
                        ? first.header(AUTHORIZATION)
                        : elsewhere == null ? null : elsewhere.authorization(next);
                if (demanded != null) {
                    builder.header(AUTHORIZATION, demanded);
                }
            }
            current = builder.build();
        }
    }

    /** Where an answer redirects a request, or null. Writes are redirected only if their method is to be kept. */
    private static @Nullable HttpUrl redirect(Host origin, Response response, Request request) throws IOException {
        boolean redirects = switch (response.code()) {
            case 301, 302, 303 -> Call.isRead(request.method());
            case 307, 308 -> true;
            default -> false;
        };
        if (!redirects) {
            return null;
        }
        String location = response.header("Location");
        HttpUrl next = location == null ? null : request.url().resolve(location);
        if (next == null) {
            response.close();
            throw new Violation(
                    "the redirect from " + request.url().redact() + " does not lead to an http or https URL");
        }
        return origin.asReached(
                next.newBuilder().username("").password("").fragment(null).build());
    }

    private Response exchange(Host host, Request request, boolean streams, Deadline deadline)
            throws IOException, InterruptedException {
        rate.await(host.authority(), deadline.remaining());
        Duration remaining = deadline.remaining();
        if (!host.gate().tryAcquire(remaining.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new SocketTimeoutException("other requests to " + host.authority() + " used up the deadline, "
                    + host.options().concurrency() + " at a time");
        }
        deadline.asks(host.described(request.url()));
        long started = ticker.getAsLong();
        Response response = null;
        boolean handed = false;
        try {
            response = execute(host, request, streams, deadline);
            note(host, response);
            observer.requested(host.name(), request.method(), response.code(), since(started));
            // Whether a blob is compressed is for those to decide who know it.
            Response readable = streams && response.isSuccessful() ? response : ContentEncoding.decoded(response);
            handed = true;
            return readable;
        } finally {
            // Whatever is thrown, even by an observer: nothing stays open or held.
            host.gate().release();
            if (response == null) {
                observer.requested(host.name(), request.method(), 0, since(started));
            } else if (!handed) {
                response.close();
            }
        }
    }

    private Duration since(long started) {
        return Duration.ofNanos(ticker.getAsLong() - started);
    }

    private static Response execute(Host host, Request request, boolean streams, Deadline deadline)
            throws IOException, InterruptedException {
        ConnectionUse use = new ConnectionUse();
        try {
            okhttp3.Call call = host.client(request.url()).newCall(request);
            call.addEventListener(use);
            long left = deadline.remaining().toNanos();
            if (left == 0) {
                throw new SocketTimeoutException("no time is left to ask " + host.authority());
            }
            call.timeout().timeout(left + (streams ? deadline.transfer().toNanos() : 0), TimeUnit.NANOSECONDS);
            return call.execute();
        } catch (IOException e) {
            if (Thread.interrupted()) {
                InterruptedException interrupted =
                        new InterruptedException("interrupted while asking " + host.authority());
                interrupted.initCause(e);
                throw interrupted;
            }
            if (e.getCause() instanceof Violation refused) {
                throw refused;
            }
            if (e instanceof ConnectException) {
                host.unreachable();
            }
            // Content may have arrived in part: what becomes of that is for those to decide who send it.
            RequestBody body = request.body();
            boolean plain = body == null || body.contentLength() == 0;
            throw plain && use.mayBeStale() && !(e instanceof InterruptedIOException) ? new StaleConnection(e) : e;
        } finally {
            deadline.sent(use.isSent() ? request.method() : "");
        }
    }

    private void note(Host host, Response response) {
        boolean limits = false;
        boolean warns = false;
        for (int i = 0; i < response.headers().size(); i++) {
            String name = response.headers().name(i);
            limits |= name.regionMatches(true, 0, "RateLimit", 0, 9) || name.regionMatches(true, 0, "X-Rate", 0, 6);
            warns |= name.equalsIgnoreCase("Warning");
        }
        if (limits) {
            RateLimit limit =
                    RateLimitHeaders.parse(response.headers(), clock.instant()).orElse(null);
            if (limit != null) {
                Claim identity = response.request().tag(Claim.class);
                if (identity != null && identity.judge().equals(host.authority()) && response.code() != 401) {
                    rateLimits.put(identity, limit);
                }
                observer.rateLimited(host.name(), limit);
            }
        }
        if (warns) {
            for (String warning : response.headers("Warning")) {
                warn(host, warning);
            }
        }
    }

    /**
     * Reports the warnings of a header in the form that registries use, {@code 299 - "text"} (OCI distribution
     * specification, "Warnings"), each once. One header may carry several (RFC 9110, section 5.3).
     */
    private void warn(Host host, String header) {
        HeaderScanner scanner = new HeaderScanner(header);
        while (!scanner.atEnd()) {
            scanner.skipListSeparators();
            boolean miscellaneous = scanner.token().equals("299");
            scanner.skipBlanks();
            scanner.until(" \t,");
            scanner.skipBlanks();
            String text = scanner.quoted();
            if (miscellaneous && text != null && !text.isBlank()) {
                report(host, Bodies.printable(text));
            }
            // A date may follow, which contains a comma, in quotation marks.
            scanner.skipBlanks();
            scanner.quoted();
            scanner.until(",");
        }
    }

    private void report(Host host, String warning) {
        if (warnings.put(host.authority() + " " + warning, true) == null) {
            LOG.warn("{} warns: {}", host.authority(), warning);
            observer.warned(host.name(), warning);
        }
    }
}
