/** Decides what is done with a workload and why, in pure functions without I/O, clocks or randomness: all policy is here. */
@NullMarked
package io.urunner.agent.plan;

import org.jspecify.annotations.NullMarked;
