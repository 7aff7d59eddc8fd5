/** The loop of the agent: takes what the other packages report, has it planned, and passes on the decisions. */
@NullMarked
package io.urunner.agent.engine;

import org.jspecify.annotations.NullMarked;
