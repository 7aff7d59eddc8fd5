/**
 * The loop: see the workloads, resolve their references with a pace per registry, plan, act, remember. Start at
 * {@link io.urunner.agent.run.Agent}.
 */
@NullMarked
package io.urunner.agent.run;

import org.jspecify.annotations.NullMarked;
