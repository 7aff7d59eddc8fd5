/** The agent's HTTP port: probes and other endpoints. */
@NullMarked
package io.urunner.agent.app.http;

import org.jspecify.annotations.NullMarked;
