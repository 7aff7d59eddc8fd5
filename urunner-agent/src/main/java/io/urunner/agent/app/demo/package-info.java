/**
 * The demonstration: an in-process registry and a stand-in for the API server, to show the agent at work without a
 * cluster, a registry or a container engine. Nothing imports it.
 */
@NullMarked
package io.urunner.agent.app.demo;

import org.jspecify.annotations.NullMarked;
