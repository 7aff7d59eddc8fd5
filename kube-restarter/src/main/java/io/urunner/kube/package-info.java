/**
 * Watches Kubernetes workloads, rolls them out with one idempotent patch, and follows a rollout to its end. Image
 * references and digests are opaque texts.
 */
@NullMarked
package io.urunner.kube;

import org.jspecify.annotations.NullMarked;
