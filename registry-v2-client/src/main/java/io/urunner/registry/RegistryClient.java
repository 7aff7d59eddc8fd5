package io.urunner.registry;

import io.urunner.registry.auth.CredentialProvider;
import java.io.InputStream;
import java.net.Proxy;
import java.net.ProxySelector;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import org.jspecify.annotations.Nullable;

/**
 * A client for registries that speak the OCI distribution API (Docker Registry v2). One client serves any number of
 * registries and threads; keep it as long as possible, because it remembers tokens, scopes and connections.
 *
 * <p>Methods block. They return within the {@linkplain Builder#deadline deadline}, and soon after the thread is
 * interrupted. Cancelling an upload may take up to two seconds more. Blobs get additional time, in proportion to their
 * size at the slowest {@linkplain Builder#transferRate rate}, and a listing has a {@linkplain Builder#listingDeadline
 * deadline} of its own for all pages. The client also limits what a host may send: it rejects an answer that is larger
 * than any sensible one.
 */
public final class RegistryClient implements AutoCloseable {
    static final String ROOT = "/v2/";

    private static final Duration FIRST_DELAY = Duration.ofMillis(400);
    private static final Duration LONGEST_DELAY = Duration.ofSeconds(10);
    private static final int IDLE_CONNECTIONS = 64;

    @Nullable private final OkHttpClient own;

    private final Caller caller;
    private final List<String> accept;
    private final long transferRate;
    private final Duration listingDeadline;
    private final Manifests manifests;
    private final Blobs blobs;
    private final CachedContent cached;
    private final Listings listings;
    private final Referrers referrers;

    private RegistryClient(
            @Nullable OkHttpClient own,
            Caller caller,
            List<String> accept,
            long transferRate,
            Duration listingDeadline,
            CachedContent cached) {
        this.own = own;
        this.caller = caller;
        this.accept = accept;
        this.transferRate = transferRate;
        this.listingDeadline = listingDeadline;
        this.cached = cached;
        blobs = new Blobs(caller, transferRate, cached);
        manifests = new Manifests(caller, accept, cached, blobs);
        listings = new Listings(caller, manifests, listingDeadline);
        referrers = new Referrers(caller, manifests, listings);
    }

    /**
     * Returns a builder of a client.
     *
     * @return a builder with all defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a view of this client that uses other credentials. A view shares what does not depend on who asks:
     * connections and their limits, what registries demand, the tokens and pauses of each credential, and which
     * credentials were rejected; and what {@link #mirror} and {@link #mirrorProblem} say, which may name what other
     * views asked for and where their credentials are from. It does not share what it learned for itself: which
     * credential worked for what, and the {@linkplain #rateLimit rate limits} of credentials that it does not use. A
     * view is cheap; keep one per group of users for as long as the client, because it remembers which credential
     * worked.
     *
     * @param credentials where the view gets its credentials; neither the view nor this client closes it
     * @return the view. Closing it has no effect; closing this client also closes the view
     */
    public RegistryClient withCredentials(CredentialProvider credentials) {
        // What one may read is not for everybody.
        return new RegistryClient(
                null,
                caller.with(Objects.requireNonNull(credentials, "credentials")),
                accept,
                transferRate,
                listingDeadline,
                CachedContent.NONE);
    }

    /**
     * Returns a view of this client with another deadline, for calls that have less time than others, or more. It holds
     * for each call by itself, with all its requests, waits and retries. In a listing each page has this deadline, and no
     * further page is requested once the listing has taken this long. Only the content of blobs gets additional time, as
     * with the {@linkplain Builder#deadline deadline} of the client. To end a call earlier, interrupt its thread.
     *
     * <p>A view shares everything with its client except the deadline. It is cheap: make one for a single call.
     *
     * @param deadline how long a call may take, longer than zero
     * @return the view. Closing it has no effect; closing this client also closes the view
     * @throws IllegalArgumentException if the deadline is not longer than zero
     */
    public RegistryClient withDeadline(Duration deadline) {
        return new RegistryClient(null, caller.within(positive(deadline)), accept, transferRate, deadline, cached);
    }

    private static Duration positive(Duration duration) {
        if (duration.isZero() || duration.isNegative()) {
            throw new IllegalArgumentException("a deadline must be longer than zero, not " + duration);
        }
        return duration;
    }

    /**
     * Returns the credentials that this client or view uses.
     *
     * @return the provider; its creator closes it
     */
    public CredentialProvider credentials() {
        return caller.authorizer().provider;
    }

    /**
     * Resolves a reference to what it names now, without reading the content: one {@code HEAD}. Some registries and
     * proxies fail on {@code HEAD}, so one that fails is asked again with {@code GET}. If that works, {@code GET} is sent at
     * once for ten minutes. After 502, 503 and 504, only the last of the {@linkplain Builder#attempts attempts} is {@code
     * GET}, and that is not remembered: a registry that restarts answers so, too. On Docker Hub, where {@code GET} counts as a
     * pull, {@code HEAD} is always believed.
     *
     * @param image the reference; if it has a digest, that digest is resolved
     * @return media type, digest and size
     * @throws RegistryException if the reference cannot be resolved
     * @throws InterruptedException if the thread is interrupted
     */
    public Descriptor resolve(ImageReference image) throws RegistryException, InterruptedException {
        return manifests.resolve(image);
    }

    /**
     * Resolves a reference, if it no longer names a known digest: one {@code HEAD} with {@code If-None-Match}.
     *
     * @param image the reference
     * @param known the digest that it had before
     * @return what it names now, or empty if that is still the known digest
     * @throws RegistryException if the reference cannot be resolved
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<Descriptor> resolveIfChanged(ImageReference image, Digest known)
            throws RegistryException, InterruptedException {
        return manifests.resolveIfChanged(image, known);
    }

    /**
     * Checks whether a tag or a digest exists, without reading the content: one {@code HEAD} to the registry itself, not to
     * its mirrors. A {@code HEAD} that fails is asked again with {@code GET}, as with {@link #resolve}; only that something
     * is missing is believed for ten minutes once the registry has shown that its {@code HEAD} works, or said the same to
     * both.
     *
     * @param image the reference; if it has a digest, that digest is looked for
     * @return media type, digest and size; empty if the registry says that there is no such manifest or repository.
     *     A registry that hides what the credentials may not see says so, too
     * @throws RegistryException if the registry gives no answer, or denies access
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<Descriptor> find(ImageReference image) throws RegistryException, InterruptedException {
        return manifests.find(image);
    }

    /**
     * Checks that a registry is reachable and speaks the API, with credentials if it requires them.
     *
     * @param registry the registry as {@code host[:port]}
     * @throws RegistryException if it does not, or denies access
     * @throws InterruptedException if the thread is interrupted
     */
    public void ping(String registry) throws RegistryException, InterruptedException {
        caller.call(Call.ping(Host.authority(registry))).close();
    }

    /**
     * Reads a manifest or an index. Its bytes are kept unchanged, and their digest is verified.
     *
     * @param image the reference
     * @return the manifest or index
     * @throws RegistryException if it cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    public ManifestOrIndex manifest(ImageReference image) throws RegistryException, InterruptedException {
        return manifests.read(image);
    }

    /**
     * Reads what an index lists. If the entry has a type that we do not know, it is asked for as a manifest of that type;
     * see {@link ManifestOrIndex#parse(byte[], String, Descriptor)}.
     *
     * @param repository the repository
     * @param entry the entry of an index
     * @return what the entry refers to; empty if its type is one that we do not know, and the registry has it as a blob
     *     instead
     * @throws NotFoundException if the registry has neither
     * @throws RegistryException if it cannot be read, or is no manifest
     * @throws InterruptedException if the thread is interrupted
     */
    public Optional<ManifestOrIndex> manifest(Repository repository, Descriptor entry)
            throws RegistryException, InterruptedException {
        return manifests.read(repository, entry);
    }

    /**
     * Reads the manifest of the image that runs on a platform: the manifest that the reference names, or the matching
     * one in the index that it names or in nested indexes. If only entries without a platform are left, their
     * configurations say which one fits, as with containerd; at most eight are read.
     *
     * @param image the reference
     * @param platform the machine's platform
     * @return the manifest
     * @throws NotFoundException if there is none for the platform
     * @throws RegistryException if it cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    public Manifest manifest(ImageReference image, Platform platform) throws RegistryException, InterruptedException {
        return manifests.manifest(image, platform);
    }

    /**
     * Reads the configuration of an image.
     *
     * @param repository the repository
     * @param manifest the manifest of the image
     * @return the configuration, its digest verified
     * @throws ProtocolViolationException if this is not an image but another artifact, or the configuration is larger
     *     than {@link ImageConfig#MAX_SIZE}
     * @throws RegistryException if it cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    public ImageConfig config(Repository repository, Manifest manifest) throws RegistryException, InterruptedException {
        return manifests.config(repository, manifest);
    }

    /**
     * Opens a blob. A broken connection is resumed where it broke ({@code Range}); size and digest are verified at the
     * end of the stream. Reading throws {@link java.io.IOException}, with a {@link RegistryException} as its cause if
     * the download could not be resumed.
     *
     * @param repository the repository
     * @param blob the blob, as a manifest describes it
     * @return the content; the caller closes it
     * @throws RegistryException if it cannot be read
     * @throws InterruptedException if the thread is interrupted
     */
    public InputStream blob(Repository repository, Descriptor blob) throws RegistryException, InterruptedException {
        return blobs.open(repository, blob);
    }

    /**
     * Checks whether a repository has a blob: one {@code HEAD}, believed by the rules of {@link #find}. The {@code GET} in
     * its place is for one byte.
     *
     * @param repository the repository
     * @param digest the blob's digest
     * @return whether it has it
     * @throws RegistryException if the registry gives no answer
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean hasBlob(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        return blobs.exists(repository, digest);
    }

    /**
     * Lists the tags of a repository.
     *
     * @param repository the repository
     * @return the tags, in pages of the largest size
     */
    public Pages<String> tags(Repository repository) {
        return tags(repository, Listings.MOST);
    }

    /**
     * Lists the tags of a repository.
     *
     * @param repository the repository
     * @param pageSize how many tags to ask for at a time, 1 to 1000; registries may give fewer
     * @return the tags
     */
    public Pages<String> tags(Repository repository, int pageSize) {
        return tags(repository, pageSize, "");
    }

    /**
     * Lists the tags of a repository that follow a tag ("Listing Tags", OCI distribution specification).
     *
     * @param repository the repository
     * @param pageSize how many tags to ask for at a time, 1 to 1000; registries may give fewer
     * @param last the tag after which to begin, in the registry's order, which need not exist; empty to begin with the
     *     first. Old registries, such as docker-registry 2.8, ignore it and begin with the first
     * @return the tags
     */
    public Pages<String> tags(Repository repository, int pageSize, String last) {
        return listings.tags(repository, pageSize, last);
    }

    /**
     * Lists the repositories of a registry. Many registries do not allow this.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the names of the repositories
     */
    public Pages<String> catalog(String registry) {
        return listings.catalog(Host.authority(registry), Listings.MOST);
    }

    /**
     * Lists what refers to a manifest, such as signatures and bills of materials ("Listing Referrers", OCI distribution
     * specification). If the registry does not support the referrers API, which it shows by an error, a page of HTML or
     * an empty answer, the fallback tag is read. If that names something else than an index, nothing is listed.
     *
     * @param repository the repository
     * @param subject the digest of the manifest
     * @param artifactType the type of the artifacts to list, empty for all
     * @return the artifacts' descriptors
     */
    public Pages<Descriptor> referrers(Repository repository, Digest subject, Optional<String> artifactType) {
        return referrers.list(repository, subject, artifactType);
    }

    /**
     * Pushes a blob with the {@linkplain PushOptions#DEFAULTS defaults}.
     *
     * @param repository the repository
     * @param blob the blob's digest and size
     * @param source its content
     * @throws RegistryException if the registry does not accept it
     * @throws InterruptedException if the thread is interrupted
     */
    public void pushBlob(Repository repository, Descriptor blob, BlobSource source)
            throws RegistryException, InterruptedException {
        pushBlob(repository, blob, source, PushOptions.DEFAULTS);
    }

    /**
     * Pushes a blob ("Pushing blobs", OCI distribution specification). After a failure that may pass, the registry is
     * asked how much of the content arrived, and the rest is sent; if it does not know the upload any longer, a new one
     * is opened. The number of {@linkplain Builder#attempts attempts} is that of failures without any progress. An
     * upload that is given up is cancelled.
     *
     * @param repository the repository
     * @param blob the blob's digest and size; with a digest other than SHA-256, the registry is told the algorithm
     *     ({@code digest-algorithm})
     * @param source its content; opened again if something has to be sent again
     * @param options how to push it
     * @throws RegistryException if the registry does not accept it, or the source has another size or cannot be read
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalArgumentException if the options resume the upload of another blob or to another repository
     */
    public void pushBlob(Repository repository, Descriptor blob, BlobSource source, PushOptions options)
            throws RegistryException, InterruptedException {
        blobs.push(repository, blob, source, options);
    }

    /**
     * Mounts a blob from another repository on the same registry, without transferring it. A registry that refuses,
     * for example because the credentials do not allow to read the other repository, is not an error here: the push that
     * follows says what is missing, if anything is.
     *
     * @param to the repository to mount it in
     * @param from the name of the repository that has it
     * @param digest the blob's digest
     * @return whether it was mounted; if not, it must be pushed
     * @throws RegistryException if the registry fails in a way that may pass
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean mountBlob(Repository to, String from, Digest digest) throws RegistryException, InterruptedException {
        return blobs.mount(to, from, digest);
    }

    /**
     * Pushes a manifest or an index; everything it refers to must be there already, except its subject.
     *
     * <p>If it has a subject and the registry does not answer that it lists it there ({@code OCI-Subject}), it is added
     * to the index under the fallback tag, as the OCI distribution specification demands ("Pushing Manifests with
     * Subject"). Several clients may do that at the same time. Registries that lack the API do not compare before they
     * write, so the list is read again after a pause and written again as long as the entry is missing, at most ten
     * times. An entry is lost only if another client takes several times longer than we do between reading and writing
     * the list, or does not look again itself. If something that is no index has the tag, it is kept, and an error says
     * that the manifest is pushed but not listed.
     *
     * @param image the tag or digest under which to push
     * @param content the manifest or index
     * @return what was pushed
     * @throws RegistryException if the registry does not accept it
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalArgumentException if the reference has a digest that is not the content's
     */
    public Descriptor pushManifest(ImageReference image, ManifestOrIndex content)
            throws RegistryException, InterruptedException {
        return referrers.push(image, content);
    }

    /**
     * Deletes a manifest or an index, and with it every tag that points to it. If it has a subject and the registry
     * lacks the referrers API, it is also taken out of the list under the fallback tag ("Deleting Manifests", OCI
     * distribution specification); so it is read before it is deleted. If that list cannot be changed, the manifest is
     * deleted all the same, and a warning is logged: an entry without content harms nobody.
     *
     * <p>If the answer to an attempt was lost or an error of the server, and the next one is answered that the manifest
     * does not exist, it is deleted. {@link #deleteTag} and {@link #deleteBlob} have the same rule.
     *
     * @param repository the repository
     * @param digest its digest
     * @throws RegistryException if it does not exist, or the registry does not support deletion
     * @throws InterruptedException if the thread is interrupted
     */
    public void deleteManifest(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        referrers.delete(repository, digest);
    }

    /**
     * Deletes a tag and keeps what it points to.
     *
     * <p>If the registry deletes only digests, as docker-registry 2.8 does, the tag is moved to a placeholder that no
     * other tag names, and that is deleted. regclient does the same; deleting the digest itself, as some scripts do,
     * would delete all its other tags. Before anything is changed, the deletion of a digest that does not exist shows
     * whether the registry deletes anything. If the placeholder cannot be deleted, the tag is moved back. If somebody
     * else moves the tag at the same moment, that is lost.
     *
     * @param repository the repository
     * @param tag the tag
     * @throws RegistryException if it does not exist, or the registry deletes neither tags nor manifests
     * @throws InterruptedException if the thread is interrupted
     */
    public void deleteTag(Repository repository, String tag) throws RegistryException, InterruptedException {
        String unique = Long.toHexString(ThreadLocalRandom.current().nextLong());
        new TagDeletion(manifests, blobs).delete(repository, repository.tag(tag), unique);
    }

    /**
     * Deletes a blob.
     *
     * @param repository the repository
     * @param digest the blob's digest
     * @throws RegistryException if it does not exist, or the registry does not support deletion
     * @throws InterruptedException if the thread is interrupted
     */
    public void deleteBlob(Repository repository, Digest digest) throws RegistryException, InterruptedException {
        blobs.delete(repository, digest);
    }

    /**
     * Returns what a host last said about the rate limit of the credentials that this client or view uses. Of several,
     * the one with the most requests left counts, because requests succeed as long as one credential has any left.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the limit, or empty if the host has not reported any yet
     */
    public Optional<RateLimit> rateLimit(String registry) {
        return caller.authorizer()
                .rateLimit(caller.host(Host.authority(registry)).authority());
    }

    /**
     * Returns the {@linkplain HostOptions#withMirrors mirror} that gave the last answer for a manifest or blob of a
     * registry, as far as this client and its views asked.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the mirror's URL, or empty if the registry itself answered, or nothing was asked
     */
    public Optional<String> mirror(String registry) {
        return Optional.of(caller.mirrorOf(Host.authority(registry)).getKey()).filter(mirror -> !mirror.isEmpty());
    }

    /**
     * Returns the mirror that gave the last answer about an image, as far as this client and its views asked. That of about
     * the last 10,000 images of registries with mirrors is remembered.
     *
     * @param image the image, as it was asked for: with its tag, or with its digest
     * @return the mirror's URL, or empty if the registry itself answered, or nothing was asked or is remembered
     */
    public Optional<String> mirror(ImageReference image) {
        return Optional.of(caller.mirrorOf(image).getKey()).filter(mirror -> !mirror.isEmpty());
    }

    /**
     * Returns which mirrors were passed over before the last answer about an image, and what they did instead. The words
     * name only the mirrors, neither what was asked for nor a credential, so they may be shown to anybody.
     *
     * @param image the image, as it was asked for: with its tag, or with its digest
     * @return for example {@code https://cache.example answered 404}, several separated by semicolons; empty if there
     *     were none, or nothing is remembered
     */
    public Optional<String> mirrorsPassedOver(ImageReference image) {
        return Optional.of(caller.mirrorOf(image).getValue()).filter(words -> !words.isEmpty());
    }

    /**
     * Says why mirrors were passed over before the last answer for a manifest or blob of a registry. The words name what
     * was asked for, and possibly where a credential is from: they are for operators.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the reasons, of one line; empty if the first mirror that was to be asked answered, or none was to be asked
     */
    public Optional<String> mirrorProblem(String registry) {
        return Optional.of(caller.mirrorOf(Host.authority(registry)).getValue()).filter(reason -> !reason.isEmpty());
    }

    /**
     * Returns the proxy through which requests to a registry go. Nothing is sent or looked up.
     *
     * @param registry the registry as {@code host[:port]}
     * @return the proxy, or empty if the registry is reached directly
     */
    public Optional<Proxy> proxy(String registry) {
        return caller.host(Host.authority(registry)).proxy();
    }

    /**
     * Closes the connections, unless the HTTP client belongs to the caller or this is a view ({@link #withCredentials},
     * {@link #withDeadline}). Closing twice has no effect.
     *
     * <p>The client has no thread that would have to end. OkHttp has background threads ({@code OkHttp TaskRunner} and
     * {@code Okio Watchdog}), which belong to the process: all of its clients share them, and no client can end them.
     * They are daemons, do not keep the JVM from exiting, and end a minute after their last work.
     */
    @Override
    public void close() {
        if (own != null) {
            own.connectionPool().evictAll();
            own.dispatcher().executorService().shutdown();
        }
    }

    /** Builds a client. Not thread-safe. */
    public static final class Builder {
        private @Nullable CredentialProvider credentials;

        private @Nullable OkHttpClient httpClient;

        private @Nullable ProxySelector proxies;

        private HostOptions defaults = HostOptions.DEFAULTS;
        private final Map<String, HostOptions> hosts = new HashMap<>();
        private final List<String> accept = new ArrayList<>(MediaType.MANIFESTS);
        private RegistryObserver observer = RegistryObserver.NONE;
        private InstantSource clock = SystemTime.CLOCK;
        private LongSupplier ticker = SystemTime.TICKER;
        private Sleeper sleeper = SystemTime.SLEEPER;
        private Duration connectTimeout = Duration.ofSeconds(10);
        private Duration readTimeout = Duration.ofSeconds(20);
        private Duration deadline = Duration.ofSeconds(30);
        private Duration listingDeadline = Duration.ofMinutes(5);
        private Duration refusalMemory = Duration.ofHours(1);
        private long transferRate = 32 * 1024;
        private int attempts = 3;
        private double requestRate;

        private @Nullable ContentCache cache;

        private String userAgent = "urunner-registry-client";

        private Builder() {}

        /**
         * Sets where credentials come from; without a provider, access is anonymous. {@code Keychain.docker(…)} in the
         * package {@code dockerconfig} finds those of {@code docker login} and {@code podman login}.
         *
         * @param provider the provider; the client does not close it
         * @return this
         */
        public Builder credentials(CredentialProvider provider) {
            this.credentials = Objects.requireNonNull(provider, "provider");
            return this;
        }

        /**
         * Sets how to reach a host.
         *
         * @param host {@code host[:port]}, as references name it
         * @param options its options
         * @return this
         * @throws IllegalArgumentException if it is not a host, for example a URL; whether it speaks plain http is an
         *     {@linkplain HostOptions#withPlainHttp option}
         */
        public Builder host(String host, HostOptions options) {
            hosts.put(Repository.canonicalRegistry(Host.authority(host)), Objects.requireNonNull(options, "options"));
            return this;
        }

        /**
         * Sets how to reach hosts that have no options of their own.
         *
         * @param options the options
         * @return this
         */
        public Builder defaults(HostOptions options) {
            this.defaults = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * Sets media types to accept for manifests in addition to the four of images and indexes, which are always
         * accepted.
         *
         * @param mediaTypes the media types
         * @return this
         */
        public Builder accept(List<String> mediaTypes) {
            for (String type : mediaTypes) {
                if (!accept.contains(type)) {
                    accept.add(type);
                }
            }
            return this;
        }

        /**
         * Sets the HTTP client whose connections, interceptors and, without {@link #proxy}, proxies to use. The registry client never closes it.
         *
         * @param client the client
         * @return this
         */
        public Builder httpClient(OkHttpClient client) {
            this.httpClient = Objects.requireNonNull(client, "client");
            return this;
        }

        /**
         * Sets which proxies requests go through: those to registries, token servers, storages and mirrors. By default
         * it is the Java runtime's selector, or that of {@link #httpClient}. A host whose options name a {@linkplain
         * HostOptions#withProxy proxy} uses that one.
         *
         * <p>{@link EnvironmentProxySelector} reads the usual variables; its user and password are sent to its proxy,
         * and to nobody else. For another selector whose proxies demand a login, pass an {@link #httpClient} with a
         * {@code proxyAuthenticator}.
         *
         * @param selector chooses the proxy of each URL; it must be thread-safe
         * @return this
         */
        public Builder proxy(ProxySelector selector) {
            this.proxies = Objects.requireNonNull(selector, "selector");
            return this;
        }

        /**
         * Sets what observes the client.
         *
         * @param newObserver the observer
         * @return this
         */
        public Builder observer(RegistryObserver newObserver) {
            this.observer = Objects.requireNonNull(newObserver, "newObserver");
            return this;
        }

        /**
         * Sets the time of day, for tokens and for rejected credentials.
         *
         * @param newClock the clock
         * @return this
         */
        public Builder clock(InstantSource newClock) {
            this.clock = Objects.requireNonNull(newClock, "newClock");
            return this;
        }

        /**
         * Sets the elapsed time, for deadlines.
         *
         * @param nanoseconds counts nanoseconds
         * @return this
         */
        public Builder ticker(LongSupplier nanoseconds) {
            this.ticker = Objects.requireNonNull(nanoseconds, "nanoseconds");
            return this;
        }

        /**
         * Sets how to wait between attempts.
         *
         * @param newSleeper waits
         * @return this
         */
        public Builder sleeper(Sleeper newSleeper) {
            this.sleeper = Objects.requireNonNull(newSleeper, "newSleeper");
            return this;
        }

        /**
         * Sets how long connecting may take (default 10 s).
         *
         * @param timeout the bound
         * @return this
         */
        public Builder connectTimeout(Duration timeout) {
            this.connectTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /**
         * Sets how long a host may be silent (default 20 s).
         *
         * @param timeout the bound
         * @return this
         */
        public Builder readTimeout(Duration timeout) {
            this.readTimeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /**
         * Sets how long a method may take in total, including all its requests (those for tokens, too), waits, retries
         * and reading the answer, but without reading and writing blobs (default 30 s).
         *
         * @param budget the bound
         * @return this
         */
        public Builder deadline(Duration budget) {
            this.deadline = Objects.requireNonNull(budget, "budget");
            return this;
        }

        /**
         * Sets the slowest acceptable rate at which blobs are read and written, on average and beyond the {@linkplain
         * #deadline deadline} (default 32 KiB/s): a blob of one megabyte may take the deadline and 32 s. Only the time
         * counts that we wait for the registry; a reader of the stream may take its time.
         *
         * @param bytesPerSecond the rate, at least 1
         * @return this
         */
        public Builder transferRate(long bytesPerSecond) {
            if (bytesPerSecond < 1) {
                throw new IllegalArgumentException(
                        "the rate must be at least 1 byte per second, not " + bytesPerSecond);
            }
            this.transferRate = bytesPerSecond;
            return this;
        }

        /**
         * Sets how long to wait for all pages of a listing together (default 5 min). Each page also has its own
         * {@linkplain #deadline deadline}.
         *
         * @param budget the bound
         * @return this
         */
        public Builder listingDeadline(Duration budget) {
            this.listingDeadline = Objects.requireNonNull(budget, "budget");
            return this;
        }

        /**
         * Sets how many times a request is sent at most if a registry is unreachable, busy or failing (default 3). For
         * the push of a blob, these are the failures in a row between which no content arrived. A request that meets a
         * connection that the host has closed meanwhile is sent again at once, on a new one, even if there are no
         * retries.
         *
         * @param count at least 1, which means no retries
         * @return this
         */
        public Builder attempts(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("a request must be sent at least once, not " + count + " times");
            }
            this.attempts = count;
            return this;
        }

        /**
         * Limits how many requests each host gets per second, including those for tokens and retries (default: no
         * limit). They are spaced evenly, without bursts, so that a host counts no more in any second. A method waits
         * for its turn within its {@linkplain #deadline deadline}. Views share the limit; clients do not.
         *
         * @param perSecondPerHost the rate, for example 0.5 for a request every two seconds
         * @return this
         * @throws IllegalArgumentException if it is not a positive number
         */
        public Builder requestRate(double perSecondPerHost) {
            if (!(perSecondPerHost > 0) || Double.isInfinite(perSecondPerHost)) {
                throw new IllegalArgumentException("the rate of requests must be positive, not " + perSecondPerHost);
            }
            this.requestRate = perSecondPerHost;
            return this;
        }

        /**
         * Keeps what never changes (default: nothing is kept): a manifest that is requested by its digest, and blobs of
         * up to {@link ContentCache#LARGEST_BLOB} bytes, are read from the cache if they are there. The registry is not
         * asked then, so nobody checks whether the repository still has the content, or whether the credentials may
         * read it. So {@linkplain RegistryClient#withCredentials views} do not use the cache.
         *
         * @param newCache the cache, for example {@link ContentCache#inMemory}
         * @return this
         */
        public Builder cache(ContentCache newCache) {
            this.cache = Objects.requireNonNull(newCache, "newCache");
            return this;
        }

        /**
         * Sets how long a refusal is remembered (default 1 h): meanwhile the same credential is not sent again for the same
         * thing, and the client repeats the answer by itself. A changed credential is sent at once. The full time is for what
         * a registry or its token server (by an error in JSON or a challenge) answered to a credential that was shown. A
         * token server's rejection of a credential is final when it comes a second time. All other refusals, those of
         * requests without credentials and the pages of gateways among them, are remembered for 15 seconds at first, then
         * for twice as long each time, up to ten minutes or this time.
         *
         * <p>Other clients remember no refusal, and ask again at once. A program that asks all the time would be banned for
         * that by GitLab and others.
         *
         * @param bound the longest time; zero to ask each time
         * @return this
         */
        public Builder refusalMemory(Duration bound) {
            if (bound.isNegative()) {
                throw new IllegalArgumentException("refusals cannot be remembered for " + bound);
            }
            this.refusalMemory = bound;
            return this;
        }

        /**
         * Sets what the client calls itself.
         *
         * @param name the value of {@code User-Agent}
         * @return this
         */
        public Builder userAgent(String name) {
            this.userAgent = Objects.requireNonNull(name, "name");
            return this;
        }

        /**
         * Creates the client. It sends nothing until it is used.
         *
         * @return the client; the caller closes it
         */
        public RegistryClient build() {
            OkHttpClient own = null;
            OkHttpClient http = httpClient;
            if (http == null) {
                http = new OkHttpClient.Builder()
                        .connectTimeout(connectTimeout)
                        .readTimeout(readTimeout)
                        .writeTimeout(readTimeout)
                        .connectionPool(new ConnectionPool(IDLE_CONNECTIONS, 5, TimeUnit.MINUTES))
                        // Over HTTP/2 a server can fill 16 MiB per answer before anybody reads it.
                        .protocols(List.of(Protocol.HTTP_1_1))
                        .build();
                own = http;
            }
            ReceiveLimit limit = new ReceiveLimit(own == null ? http.socketFactory() : null);
            http = http.newBuilder()
                    .socketFactory(limit)
                    .addNetworkInterceptor(limit)
                    .build();
            if (proxies != null) {
                http = ProxyLogin.through(proxies, http);
            }
            Transport transport = new Transport(
                    new Hosts(hosts, defaults, http),
                    userAgent,
                    new RequestRate(requestRate, ticker, sleeper),
                    clock,
                    ticker,
                    observer);
            Authorizer authorizer = new Authorizer(
                    transport,
                    new TokenService(transport, clock, ticker, observer),
                    new Heads(ticker),
                    credentials != null ? credentials : new CredentialRouter(Map.of()),
                    clock,
                    refusalMemory);
            RetryPolicy policy = new RetryPolicy(attempts, FIRST_DELAY, LONGEST_DELAY);
            return new RegistryClient(
                    own,
                    new Caller(authorizer, policy, deadline, clock, ticker, sleeper, observer, new Mirrors()),
                    List.copyOf(accept),
                    transferRate,
                    listingDeadline,
                    new CachedContent(cache));
        }
    }
}
