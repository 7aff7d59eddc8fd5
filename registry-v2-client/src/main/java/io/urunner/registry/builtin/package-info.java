/**
 * The kinds of registries that need no plugin of their own. Quay, Gitea, Nexus, Artifactory, zot, CNCF Distribution and
 * any other registry with a user and a password are served by {@link io.urunner.registry.builtin.GenericPlugin}: the
 * client follows their challenges.
 */
@NullMarked
package io.urunner.registry.builtin;

import org.jspecify.annotations.NullMarked;
