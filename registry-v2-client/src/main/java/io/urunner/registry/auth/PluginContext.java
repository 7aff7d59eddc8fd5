package io.urunner.registry.auth;

import java.net.Authenticator;
import java.net.ProxySelector;
import java.time.InstantSource;
import java.util.Objects;

/**
 * What a program passes to a plugin to create a provider. Immutable.
 *
 * @param registry the registry that the credentials are for, as {@code host[:port]}
 * @param clock the time
 * @param proxies the proxies for the plugin's own requests, for example to a cloud's API. Do not use them for the metadata
 *     service of the machine, which no proxy reaches
 * @param proxyLogin answers those proxies if they demand a login, and nobody else. The JDK's HTTP clients send a login
 *     to a proxy for https URLs only if the property {@code jdk.http.auth.tunneling.disabledSchemes} allows it, which
 *     the agent sets
 */
public record PluginContext(String registry, InstantSource clock, ProxySelector proxies, Authenticator proxyLogin) {
    public PluginContext {
        Objects.requireNonNull(registry, "registry");
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(proxies, "proxies");
        Objects.requireNonNull(proxyLogin, "proxyLogin");
    }

    /**
     * Creates a context with the Java runtime's proxies, without logins.
     *
     * @param registry the registry that the credentials are for, as {@code host[:port]}
     * @param clock the time
     */
    public PluginContext(String registry, InstantSource clock) {
        this(
                registry,
                clock,
                Objects.requireNonNullElse(ProxySelector.getDefault(), ProxySelector.of(null)),
                new Authenticator() {});
    }
}
