/** What is remembered of digests and rollouts, and for how long. */
@NullMarked
package io.urunner.agent.history;

import org.jspecify.annotations.NullMarked;
