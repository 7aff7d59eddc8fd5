/** The process: its signals and its end. */
@NullMarked
package io.urunner.agent.app.process;

import org.jspecify.annotations.NullMarked;
