/** The program around the engine. */
@NullMarked
package io.urunner.agent.app;

import org.jspecify.annotations.NullMarked;
