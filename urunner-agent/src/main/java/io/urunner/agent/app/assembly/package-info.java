/** Composes the program: the engine, its endpoints, and what commands work with. */
@NullMarked
package io.urunner.agent.app.assembly;

import org.jspecify.annotations.NullMarked;
