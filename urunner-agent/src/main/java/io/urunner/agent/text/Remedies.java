package io.urunner.agent.text;

import java.util.Map;

/**
 * Names the settings of the agent where the registry client, which knows none, names the method of its own that would lift
 * a refusal.
 */
public final class Remedies {
    private static final Map<String, String> SETTINGS = Map.of(
            "plainHttp (HostOptions.withPlainHttp)", "registries[].plainHttp",
            "trustedHosts (HostOptions.withTrustedHosts)", "registries[].trustedHosts",
            "(HostOptions.withAuthorities)", "(registries[].tls.ca)",
            "(HostOptions.withInsecureTls)", "(registries[].tls.verify: false)");

    private Remedies() {}

    /**
     * Returns the message of a failed request to a registry, as users of the agent can act on it.
     *
     * @param failure the failure
     * @return its message
     */
    public static String of(Exception failure) {
        String message = failure.getMessage();
        if (message == null) {
            return failure.toString();
        }
        for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
            message = message.replace(setting.getKey(), setting.getValue());
        }
        return message;
    }
}
