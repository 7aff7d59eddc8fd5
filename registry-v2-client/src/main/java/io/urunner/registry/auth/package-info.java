/**
 * The credential SPI: how to get a registry's credentials. A plugin implements {@link
 * io.urunner.registry.auth.CredentialPlugin}; it yields credentials and nothing more. Challenges, token requests,
 * caches and retries are the client's task.
 *
 * <p>This package does not depend on the client, only on the JDK.
 */
@NullMarked
package io.urunner.registry.auth;

import org.jspecify.annotations.NullMarked;
