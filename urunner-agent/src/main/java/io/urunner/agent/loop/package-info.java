/** What every package builds on: the one thread, time, turns, threads, and logging a problem once. */
@NullMarked
package io.urunner.agent.loop;

import org.jspecify.annotations.NullMarked;
