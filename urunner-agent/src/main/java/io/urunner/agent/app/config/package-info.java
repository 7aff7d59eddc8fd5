/**
 * Typed settings from a YAML file, the environment and options, each value with its origin; all problems are reported at
 * once. Start at {@link io.urunner.agent.app.config.SettingsLoader}.
 */
@NullMarked
package io.urunner.agent.app.config;

import org.jspecify.annotations.NullMarked;
