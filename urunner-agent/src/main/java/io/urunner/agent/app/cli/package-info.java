/** The command line: commands, their options, what they print and their exit codes. */
@NullMarked
package io.urunner.agent.app.cli;

import org.jspecify.annotations.NullMarked;
