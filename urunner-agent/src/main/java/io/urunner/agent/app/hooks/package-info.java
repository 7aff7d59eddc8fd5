/** Push hints: registries report that a tag was pushed, and the agent checks it immediately. */
@NullMarked
package io.urunner.agent.app.hooks;

import org.jspecify.annotations.NullMarked;
