package io.urunner.registry.auth;

import java.time.InstantSource;

/**
 * What a plugin gets from the program that creates a provider. Immutable.
 *
 * @param registry the registry to provide for, as {@code host[:port]}
 * @param clock the time
 */
public record PluginContext(String registry, InstantSource clock) {}
