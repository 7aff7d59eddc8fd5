package io.urunner.agent.app.config;

import java.util.Locale;
import java.util.Map;

/** The environment variables of the plugins' settings: {@code URUNNER_SECR_<PREFIX>_<KEY>}. */
final class PluginVariables {
    /** The common prefix of all plugins' variables. */
    static final String START = "URUNNER_SECR_";

    /** The original's names, where they are not the type itself. */
    private static final Map<String, String> PREFIXES =
            Map.of("aws_ecr", "AWS", "digitalocean", "DIGITAL_OCEAN", "dockerhub", "REGISTRY", "generic", "REGISTRY");

    private PluginVariables() {}

    /** The prefix of a type's variables: types with the same prefix share their variables. */
    static String prefix(String type) {
        return PREFIXES.getOrDefault(type, type.toUpperCase(Locale.ROOT));
    }

    /** The variable of a setting of a plugin: {@code gitlab}, {@code authUrl} is URUNNER_SECR_GITLAB_AUTH_URL. */
    static String name(String type, String component) {
        String key = component.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
        return START + prefix(type) + "_" + key;
    }
}
