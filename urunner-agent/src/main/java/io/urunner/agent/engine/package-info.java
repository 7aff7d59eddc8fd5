/** The loop of the agent: takes what each room has seen, has it planned, and hands on what is decided. */
@NullMarked
package io.urunner.agent.engine;

import org.jspecify.annotations.NullMarked;
