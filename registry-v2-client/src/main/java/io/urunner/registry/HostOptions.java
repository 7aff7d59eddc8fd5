package io.urunner.registry;

import java.net.Proxy;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import okhttp3.HttpUrl;

/**
 * How to reach one host. Immutable: start from {@link #DEFAULTS} and change what differs. A host to which a registry
 * leads (a token server, a storage) has options of its own, except as described below.
 *
 * @param plainHttp whether requests go over plain http; loopback hosts fall back to it automatically
 * @param insecureTls whether any certificate is accepted
 * @param authorities certificates of authorities to trust in addition to those of the Java runtime: here, at other
 *     ports of the same host, and at the trusted hosts
 * @param clientCertificate what to present in the TLS handshake; it is presented only to this host, and not if a
 *     registry leads here that does not trust this host
 * @param proxy the proxy to use, empty for what {@link RegistryClient.Builder#proxy} chooses; it is also used for hosts to
 *     which this host leads. A proxy resolves names itself, and its own rules decide what it may connect to
 * @param concurrency how many requests may wait for this host's answer at the same time
 * @param trustedHosts further hosts ({@code host[:port]}) to which this registry's challenges and redirects may lead
 *     even if their addresses are private, or if they use plain http as this host does
 * @param address where the registry of this name is really, as {@code host[:port]}; empty if the name is its address
 * @param mirrors hosts to read manifests and blobs from, in this order, before this one
 */
public record HostOptions(
        boolean plainHttp,
        boolean insecureTls,
        List<X509Certificate> authorities,
        Optional<ClientCertificate> clientCertificate,
        Optional<Proxy> proxy,
        int concurrency,
        Set<String> trustedHosts,
        Optional<String> address,
        List<Mirror> mirrors) {
    /** https, the Java runtime's authorities, the client's proxies, eight requests at a time. */
    public static final HostOptions DEFAULTS = new HostOptions(
            false, false, List.of(), Optional.empty(), Optional.empty(), 8, Set.of(), Optional.empty(), List.of());

    public HostOptions {
        authorities = List.copyOf(authorities);
        Objects.requireNonNull(clientCertificate, "clientCertificate");
        Objects.requireNonNull(proxy, "proxy");
        if (concurrency < 1) {
            throw new IllegalArgumentException("concurrency must be at least 1, not " + concurrency);
        }
        Set<String> trusted = new HashSet<>();
        for (String host : trustedHosts) {
            trusted.add(Host.authority(host).toLowerCase(Locale.ROOT));
        }
        trustedHosts = Set.copyOf(trusted);
        if (address.isPresent()) {
            checkAddress(address.get());
        }
        mirrors = List.copyOf(mirrors);
    }

    /**
     * Returns the same options, over plain http.
     *
     * @return the options
     */
    public HostOptions withPlainHttp() {
        return new HostOptions(
                true, insecureTls, authorities, clientCertificate, proxy, concurrency, trustedHosts, address, mirrors);
    }

    /**
     * Returns the same options, accepting any certificate.
     *
     * @return the options
     */
    public HostOptions withInsecureTls() {
        return new HostOptions(
                plainHttp, true, authorities, clientCertificate, proxy, concurrency, trustedHosts, address, mirrors);
    }

    /**
     * Returns the same options, also trusting these authorities.
     *
     * @param certificates their certificates; {@link Pem} reads them from a file
     * @return the options
     */
    public HostOptions withAuthorities(List<X509Certificate> certificates) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                certificates,
                clientCertificate,
                proxy,
                concurrency,
                trustedHosts,
                address,
                mirrors);
    }

    /**
     * Returns the same options, presenting a client certificate.
     *
     * @param certificate the certificate; {@link Pem} reads it from files
     * @return the options
     */
    public HostOptions withClientCertificate(ClientCertificate certificate) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                Optional.of(certificate),
                proxy,
                concurrency,
                trustedHosts,
                address,
                mirrors);
    }

    /**
     * Returns the same options, through a proxy.
     *
     * @param newProxy the proxy, or {@link Proxy#NO_PROXY}
     * @return the options
     */
    public HostOptions withProxy(Proxy newProxy) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                clientCertificate,
                Optional.of(newProxy),
                concurrency,
                trustedHosts,
                address,
                mirrors);
    }

    /**
     * Returns the same options, with another limit on concurrent requests.
     *
     * @param requests how many, at least 1
     * @return the options
     */
    public HostOptions withConcurrency(int requests) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                clientCertificate,
                proxy,
                requests,
                trustedHosts,
                address,
                mirrors);
    }

    /**
     * Returns the same options, allowing challenges and redirects to lead to these hosts.
     *
     * @param hosts {@code host[:port]} each
     * @return the options
     */
    public HostOptions withTrustedHosts(Set<String> hosts) {
        return new HostOptions(
                plainHttp, insecureTls, authorities, clientCertificate, proxy, concurrency, hosts, address, mirrors);
    }

    /**
     * Returns the same options for a registry that is reached at another address than its name, so that the names of
     * images stay. Credentials, the scopes of tokens and errors keep the name; TLS checks the certificate of the address.
     * Unlike a {@linkplain #withMirrors mirror}, it is the registry itself: everything is read and written there, and
     * no {@code ns} is sent. A token server that it names is asked at the address that it names, also if that is the
     * registry's own name.
     *
     * @param hostAndPort {@code host[:port]}
     * @return the options
     * @throws IllegalArgumentException if it is not {@code host[:port]}
     */
    public HostOptions withAddress(String hostAndPort) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                clientCertificate,
                proxy,
                concurrency,
                trustedHosts,
                Optional.of(hostAndPort),
                mirrors);
    }

    /**
     * Returns the same options, with mirrors. They are asked for manifests and blobs, with {@code HEAD} and {@code GET},
     * in this order and once each. Whatever one answers but the content (not found, denied, too many requests, a failure,
     * a page instead of a manifest), the next is asked, and finally the registry, with the usual retries. One that
     * cannot be reached is not asked for a minute. Each is asked with its own credentials, those of its host name, or
     * none, and with the options of its host name.
     *
     * <p>The first mirror that knows a tag decides what it points to, even if the registry has a newer digest by now: a
     * node that is configured with the same mirrors, as containerd is in {@code hosts.toml}, pulls what the mirror has. If
     * the registry should decide, use {@link Mirror#forContentOnly}.
     *
     * <p>Nothing is written to mirrors. {@link RegistryClient#find}, {@link RegistryClient#hasBlob} and all listings ask
     * the registry: they are asked before something is written, or a mirror without an answer could not be told from
     * one with an empty answer. That includes referrers: containerd, too, asks mirrors for them only on request.
     *
     * @param hosts the mirrors
     * @return the options
     */
    public HostOptions withMirrors(List<Mirror> hosts) {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                clientCertificate,
                proxy,
                concurrency,
                trustedHosts,
                address,
                hosts);
    }

    private static void checkAddress(String address) {
        HttpUrl url = HttpUrl.parse("https://" + address + "/");
        if (url == null || !Addresses.authority(url).equalsIgnoreCase(address.replaceFirst(":443$", ""))) {
            throw new IllegalArgumentException("an address must be host or host:port, without scheme and path");
        }
    }

    HostOptions withoutClientCertificate() {
        return new HostOptions(
                plainHttp,
                insecureTls,
                authorities,
                Optional.empty(),
                proxy,
                concurrency,
                trustedHosts,
                address,
                mirrors);
    }

    /**
     * The options for a host to which this one leads and that has no options of its own.
     *
     * @param defaults the options of hosts without their own
     * @param trusted whether this one is trusted to lead there
     */
    HostOptions forCompanion(HostOptions defaults, boolean trusted) {
        return new HostOptions(
                defaults.plainHttp,
                defaults.insecureTls,
                trusted ? authorities : defaults.authorities,
                Optional.empty(),
                proxy.isPresent() ? proxy : defaults.proxy,
                concurrency,
                Set.of(),
                Optional.empty(),
                List.of());
    }
}
