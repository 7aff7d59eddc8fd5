/** Texts that others wrote, made harmless: the log, the terminal, Events, metrics and answers show no other ones. */
@NullMarked
package io.urunner.agent.text;

import org.jspecify.annotations.NullMarked;
