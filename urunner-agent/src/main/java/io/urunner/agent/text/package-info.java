/** Makes texts from others harmless: the log, the terminal, Events, metrics and answers show only such texts. */
@NullMarked
package io.urunner.agent.text;

import org.jspecify.annotations.NullMarked;
