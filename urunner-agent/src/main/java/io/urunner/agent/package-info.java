/** The agent as a library: its entry point, and what it reports. The other packages are its internals, in layers. */
@NullMarked
package io.urunner.agent;

import org.jspecify.annotations.NullMarked;
