/**
 * Credentials that are there already: Docker's {@code config.json} with its credential helpers, and the pull secrets of
 * Kubernetes. It depends on the credential SPI and knows nothing of the client.
 */
@NullMarked
package io.urunner.registry.dockerconfig;

import org.jspecify.annotations.NullMarked;
