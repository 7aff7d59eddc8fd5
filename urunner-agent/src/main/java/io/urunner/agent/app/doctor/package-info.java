/** Finds problems in an agent's environment, and says how to fix them. */
@NullMarked
package io.urunner.agent.app.doctor;

import org.jspecify.annotations.NullMarked;
