/** Small programs that show how to use the client; a test runs each of them against a real registry. */
@NullMarked
package io.urunner.registry.examples;

import org.jspecify.annotations.NullMarked;
