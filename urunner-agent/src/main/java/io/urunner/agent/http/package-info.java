/** The agent's HTTP endpoint: probes, and whatever else is served beside them. */
@NullMarked
package io.urunner.agent.http;

import org.jspecify.annotations.NullMarked;
