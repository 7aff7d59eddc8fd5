/** Patches and the rollouts that they start; which agent may act; who is notified. */
@NullMarked
package io.urunner.agent.rollouts;

import org.jspecify.annotations.NullMarked;
