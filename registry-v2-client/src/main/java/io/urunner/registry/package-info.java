/** A client for the Docker Registry v2 and OCI distribution API. */
@NullMarked
package io.urunner.registry;

import org.jspecify.annotations.NullMarked;
