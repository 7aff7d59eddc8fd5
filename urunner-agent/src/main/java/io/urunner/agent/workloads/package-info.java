/** The workloads that are tracked, the cluster that they are in, and whose credentials may be used for them. */
@NullMarked
package io.urunner.agent.workloads;

import org.jspecify.annotations.NullMarked;
