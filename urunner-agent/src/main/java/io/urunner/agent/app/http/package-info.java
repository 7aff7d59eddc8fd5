/** The agent's HTTP endpoint: probes, and whatever else is served beside them. */
@NullMarked
package io.urunner.agent.app.http;

import org.jspecify.annotations.NullMarked;
