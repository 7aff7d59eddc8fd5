package io.urunner.registry.auth;

import java.time.InstantSource;

/**
 * What a program passes to a plugin to create a provider. Immutable.
 *
 * @param registry the registry that the credentials are for, as {@code host[:port]}
 * @param clock the time
 */
public record PluginContext(String registry, InstantSource clock) {}
