/**
 * The kinds of registries that need no separate plugin. Quay, Gitea, Nexus, Artifactory, zot, CNCF Distribution and any
 * other registry with a user and a password use {@link io.urunner.registry.builtin.GenericPlugin}: the client follows
 * their challenges.
 */
@NullMarked
package io.urunner.registry.builtin;

import org.jspecify.annotations.NullMarked;
