/** Patches and the rollouts that they start; which agent may act; who is told. */
@NullMarked
package io.urunner.agent.rollouts;

import org.jspecify.annotations.NullMarked;
