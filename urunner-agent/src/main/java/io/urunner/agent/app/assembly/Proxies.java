package io.urunner.agent.app.assembly;

import io.urunner.agent.app.cli.CommandException;
import io.urunner.agent.app.cli.ExitCode;
import io.urunner.registry.EnvironmentProxySelector;
import java.net.Authenticator;
import java.net.ProxySelector;
import java.util.Map;
import java.util.Objects;

/**
 * The proxies of all outgoing connections: those of the environment's variables; if these name none, those of Java's
 * system properties. Immutable.
 *
 * @param selector chooses them
 * @param login their logins
 */
record Proxies(ProxySelector selector, Authenticator login) {
    static Proxies of(Map<String, String> environment) throws CommandException {
        try {
            EnvironmentProxySelector named = EnvironmentProxySelector.of(environment);
            return named.namesAny()
                    ? new Proxies(named, named.authenticator())
                    : new Proxies(
                            Objects.requireNonNullElseGet(ProxySelector.getDefault(), () -> ProxySelector.of(null)),
                            new Authenticator() {});
        } catch (IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), ExitCode.WRONG_CONFIGURATION, e);
        }
    }

    /** Whether the environment's variables name them. */
    boolean areOfTheEnvironment() {
        return selector instanceof EnvironmentProxySelector;
    }
}
