package io.urunner.agent.app.process;

import io.urunner.registry.EnvironmentProxySelector;
import java.net.Authenticator;
import java.net.ProxySelector;
import java.util.Map;

/**
 * Makes the environment's proxies those of the process, for requests of libraries that cannot be told: the AWS SDK asks
 * STS with a client of its own, and knows only the variables in lower case. What we send ourselves does not depend on
 * it.
 */
public final class ProcessProxies {
    /** Java sends no login in plain text with {@code CONNECT}, unless this is empty. */
    private static final String DISABLED = "jdk.http.auth.tunneling.disabledSchemes";

    private ProcessProxies() {}

    /**
     * Applies the variables. Without any, or if they cannot be used, which the settings report, nothing changes.
     *
     * @param environment the environment of the process
     */
    public static void install(Map<String, String> environment) {
        EnvironmentProxySelector proxies;
        try {
            proxies = EnvironmentProxySelector.of(environment);
        } catch (IllegalArgumentException e) {
            return;
        }
        if (proxies.namesAny()) {
            ProxySelector.setDefault(proxies);
            Authenticator.setDefault(proxies.authenticator());
            if (System.getProperty(DISABLED) == null) {
                System.setProperty(DISABLED, "");
            }
        }
    }
}
