/** Resolving tags: which reference is asked for when and for whom, and what a digest stands for. */
@NullMarked
package io.urunner.agent.tags;

import org.jspecify.annotations.NullMarked;
