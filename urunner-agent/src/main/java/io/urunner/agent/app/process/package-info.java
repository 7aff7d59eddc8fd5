/** The process: signals and termination. */
@NullMarked
package io.urunner.agent.app.process;

import org.jspecify.annotations.NullMarked;
