package io.urunner.agent.app.config;

/**
 * A setting in force.
 *
 * @param key its key, for example {@code registries[0].tls.verify}
 * @param text its value as written; for a secret {@code [secret]} and where it is read from
 * @param origin where it was read
 */
public record EffectiveValue(String key, String text, Origin origin) {}
