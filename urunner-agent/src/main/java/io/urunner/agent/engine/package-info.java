/** The loop of the agent: takes what each room has seen, has it planned, and passes on the decisions. */
@NullMarked
package io.urunner.agent.engine;

import org.jspecify.annotations.NullMarked;
