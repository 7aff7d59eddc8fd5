package io.urunner.agent.app.config;

/**
 * A setting as it is in force.
 *
 * @param key its key, for example {@code registries[0].tls.verify}
 * @param text its value as it was written; {@code [secret]} and where it is read for a secret
 * @param origin where it was read
 */
public record EffectiveValue(String key, String text, Origin origin) {}
