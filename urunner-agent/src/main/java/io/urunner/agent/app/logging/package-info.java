/** The log of the program, for people and as JSON. */
@NullMarked
package io.urunner.agent.app.logging;

import org.jspecify.annotations.NullMarked;
