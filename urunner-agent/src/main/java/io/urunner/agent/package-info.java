/** The URunner agent: its main class and the one place that composes its parts. */
@NullMarked
package io.urunner.agent;

import org.jspecify.annotations.NullMarked;
