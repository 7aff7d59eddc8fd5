/** The URunner agent: its main class. */
@NullMarked
package io.urunner.agent;

import org.jspecify.annotations.NullMarked;
