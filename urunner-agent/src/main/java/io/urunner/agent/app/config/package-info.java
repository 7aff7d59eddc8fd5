/**
 * Typed settings, bound from a YAML file, the environment and flags, each value with its origin and every problem
 * reported at once. Start at {@link io.urunner.agent.app.config.SettingsLoader}.
 */
@NullMarked
package io.urunner.agent.app.config;

import org.jspecify.annotations.NullMarked;
