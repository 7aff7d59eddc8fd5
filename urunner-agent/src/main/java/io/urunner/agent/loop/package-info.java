/** What every room stands on: the one thread, time, turns, threads, and what is told once. */
@NullMarked
package io.urunner.agent.loop;

import org.jspecify.annotations.NullMarked;
