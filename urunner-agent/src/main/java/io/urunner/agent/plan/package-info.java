/** Decides, as pure functions without I/O, clock or chance, what is done with a workload and why: all policy is here. */
@NullMarked
package io.urunner.agent.plan;

import org.jspecify.annotations.NullMarked;
