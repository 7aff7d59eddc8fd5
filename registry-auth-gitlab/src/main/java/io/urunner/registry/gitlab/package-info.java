/** Credentials for the GitLab container registry. */
@NullMarked
package io.urunner.registry.gitlab;

import org.jspecify.annotations.NullMarked;
