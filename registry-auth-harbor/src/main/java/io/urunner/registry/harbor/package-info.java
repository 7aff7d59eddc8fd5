/** Credentials for Harbor. */
@NullMarked
package io.urunner.registry.harbor;

import org.jspecify.annotations.NullMarked;
