/**
 * Copies images between registries and files: OCI image layouts as folder and archive, and the archives of {@code docker
 * save}. The client does not need this package.
 */
@NullMarked
package io.urunner.registry.copy;

import org.jspecify.annotations.NullMarked;
