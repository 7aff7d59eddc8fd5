/** Real registries, faithful stand-ins of others, and the contract of every credential plugin, for tests. */
@NullMarked
package io.urunner.registry.testing;

import org.jspecify.annotations.NullMarked;
