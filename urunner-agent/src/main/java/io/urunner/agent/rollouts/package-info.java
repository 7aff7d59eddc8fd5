/** Patches, the rollouts that they start, and who may act and is told. */
@NullMarked
package io.urunner.agent.rollouts;

import org.jspecify.annotations.NullMarked;
