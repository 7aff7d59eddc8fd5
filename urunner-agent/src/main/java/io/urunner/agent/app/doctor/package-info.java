/** Looks for what is wrong around an agent, and says what to do about it. */
@NullMarked
package io.urunner.agent.app.doctor;

import org.jspecify.annotations.NullMarked;
