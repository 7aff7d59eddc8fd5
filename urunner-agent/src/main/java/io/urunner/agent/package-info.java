/** The agent as a library: its front door, and what it reports. The other packages are its rooms. */
@NullMarked
package io.urunner.agent;

import org.jspecify.annotations.NullMarked;
