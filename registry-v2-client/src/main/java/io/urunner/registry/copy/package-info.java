/** Copies images between registries, layouts and archives. The client does not need this package. */
@NullMarked
package io.urunner.registry.copy;

import org.jspecify.annotations.NullMarked;
