/** Says what is tracked, what was decided for it and why, and why something is not tracked. */
@NullMarked
package io.urunner.agent.app.explain;

import org.jspecify.annotations.NullMarked;
