/** The agent with real components: a control plane, registries, a database file. */
@NullMarked
package io.urunner.agent.e2e;

import org.jspecify.annotations.NullMarked;
