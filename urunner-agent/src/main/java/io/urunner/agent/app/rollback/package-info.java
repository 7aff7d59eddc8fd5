/**
 * Manual operations: look at a tag's history, take a workload back to one of its digests, and resume it. Works directly
 * with the cluster, the registry and the store; no agent is needed.
 */
@NullMarked
package io.urunner.agent.app.rollback;

import org.jspecify.annotations.NullMarked;
