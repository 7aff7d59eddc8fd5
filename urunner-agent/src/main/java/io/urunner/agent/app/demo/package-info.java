/**
 * The demonstration: an in-process registry and a stand-in for the API server, so that the main job can be seen without a
 * cluster, a registry or a container engine. Imported by nothing.
 */
@NullMarked
package io.urunner.agent.app.demo;

import org.jspecify.annotations.NullMarked;
