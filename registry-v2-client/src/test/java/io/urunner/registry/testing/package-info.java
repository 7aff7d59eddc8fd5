/** Real registries, faithful stand-ins of others, and the contract that every credential plugin keeps, for tests. */
@NullMarked
package io.urunner.registry.testing;

import org.jspecify.annotations.NullMarked;
