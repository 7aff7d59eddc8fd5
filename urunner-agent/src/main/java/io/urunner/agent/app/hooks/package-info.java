/** Push hints: registries tell that a tag was pushed, and the agent looks at once. */
@NullMarked
package io.urunner.agent.app.hooks;

import org.jspecify.annotations.NullMarked;
