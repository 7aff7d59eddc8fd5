/**
 * Existing credentials: the logins of Docker and Podman with their credential helpers, and the pull secrets of Kubernetes.
 * This package depends on the credential SPI and on the names of registries, not on the client.
 */
@NullMarked
package io.urunner.registry.dockerconfig;

import org.jspecify.annotations.NullMarked;
