/** The agent's metrics: the endpoint that Prometheus scrapes. */
@NullMarked
package io.urunner.agent.app.metrics;

import org.jspecify.annotations.NullMarked;
