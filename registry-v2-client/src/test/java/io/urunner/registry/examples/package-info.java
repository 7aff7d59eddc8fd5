/** What the client is for, in small programs; a test runs each of them against a real registry. */
@NullMarked
package io.urunner.registry.examples;

import org.jspecify.annotations.NullMarked;
