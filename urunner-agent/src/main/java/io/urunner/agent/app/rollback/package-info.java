/**
 * What operators do by hand: look at a tag's history, take a workload back to a digest of it, and end that. Straight
 * against the cluster, the registry and the store; no agent is needed for it.
 */
@NullMarked
package io.urunner.agent.app.rollback;

import org.jspecify.annotations.NullMarked;
