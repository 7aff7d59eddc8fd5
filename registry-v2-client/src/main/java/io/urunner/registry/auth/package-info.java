/**
 * The credential SPI: how a registry's credentials are found. A plugin implements {@link
 * io.urunner.registry.auth.CredentialPlugin}; it yields credentials and nothing more. Challenges, token requests, caches
 * and retries live in the client.
 *
 * <p>This package knows nothing of the client: it depends on the JDK alone.
 */
@NullMarked
package io.urunner.registry.auth;

import org.jspecify.annotations.NullMarked;
